"""The turbo model: eight steps without guidance, as the base model plays with it.

What it differs by is an adapter of low rank (LoRA), taught by the guided base model at the flow
times of the eight steps.
"""

import copy
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ace_core.sampling.schedules import timesteps
from tools.miniature.diffusion.examples import TURBO
from tools.miniature.diffusion.train import Trainee, draw_batch, maker_of, squared_error
from tools.miniature.training.loop import Run, train

RANK: Final = 8
GUIDANCE: Final = 2.5  # of the teacher
TIMES: Final = tuple(timesteps(8, 3.0)[:8])
SPREAD: Final = 0.02  # of flow times around them


class LowRank(nn.Module):
    """A weight [out, in] and the product of two thin matrices added to it."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(RANK, columns) / columns**0.5)
        self.up = nn.Parameter(torch.zeros(rows, RANK))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.up @ self.down


def with_adapter(teacher: Trainee) -> Trainee:
    """A copy whose layers' matrices have adapters; nothing else of it can be trained."""
    torch.manual_seed(0)
    student = copy.deepcopy(teacher).requires_grad_(False)
    for layer in student.model.decoder.layers.modules():
        if isinstance(layer, nn.Linear):
            adapter = LowRank(layer.out_features, layer.in_features)
            parametrize.register_parametrization(layer, "weight", adapter)
    return student


def train_turbo(teacher: Trainee, run: Run) -> dict[str, Tensor]:
    """The adapter, under the names that PEFT gives one of the decoder."""
    teacher = teacher.requires_grad_(False)
    student = with_adapter(teacher)
    maker = maker_of(teacher, TURBO, run)
    flow_times = torch.tensor(TIMES)

    def loss(step: int) -> Tensor:
        generator = torch.Generator().manual_seed(step)
        batch = teacher.batch(draw_batch(maker, step))
        items = len(batch.target)
        t = flow_times[torch.randint(len(TIMES), (items,), generator=generator)]
        t = (t - SPREAD * torch.rand(items, generator=generator)).clamp(0, 1)
        noise = torch.randn(batch.target.shape, generator=generator)
        at = t[:, None, None]
        noisy = at * noise + (1 - at) * batch.target
        with torch.no_grad():
            plain = teacher.velocity(batch, noisy, t)
            null = teacher.velocity(batch, noisy, t, torch.ones(items, dtype=torch.bool))
            guided = null + GUIDANCE * (plain - null)
        found = student.velocity(batch, noisy, t)
        return squared_error(found, guided, batch.context[..., -1]).mean()

    trained = train(student, loss, lambda _: "", run)
    assert isinstance(trained, Trainee)
    return adapter_weights(trained)


def adapter_weights(student: Trainee) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, module in student.model.decoder.named_modules():
        if isinstance(module, LowRank):
            path = name.removesuffix(".parametrizations.weight.0")
            found[f"base_model.model.{path}.lora_A.weight"] = module.down.detach()
            found[f"base_model.model.{path}.lora_B.weight"] = module.up.detach()
    return found
