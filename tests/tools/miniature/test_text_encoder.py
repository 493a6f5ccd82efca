"""The committed text encoder, in half precision, through what reads it."""

import torch
from tokenizers import Tokenizer
from torch import Tensor

from ace_core.models.qwen3 import Qwen3
from tools.miniature.text.train import Facts, Reader, draw_prompt, facts, padded, text_config
from tools.miniature.training.parts import load_text_encoder


def test_a_linear_map_tells_tempo_key_and_task_from_its_last_state() -> None:
    """The heads of the training are thrown away; these are solved on the states of 3,000 prompts.
    Trained together with it, they told 98 % of tempi and all else (docs/miniature.md)."""
    words, encoder = load_text_encoder()
    reader = Reader(text_config(words))
    reader.encoder.load_state_dict(encoder.state_dict())
    states, asked = _states(reader.encoder, words, range(3000))
    held, truth = _states(reader.encoder, words, range(5000, 5300))
    for name, least in (("key", 0.85), ("mode", 0.98), ("task", 0.98), ("bpm", 0.8)):
        known = asked.known[name]
        classes = torch.nn.functional.one_hot(asked.classes[name][known]).float()
        solution = torch.linalg.lstsq(states[known], classes).solution
        found = (held @ solution).argmax(dim=1)
        right = (found == truth.classes[name])[truth.known[name]].float().mean()
        assert right > least, name


def _states(encoder: Qwen3, words: Tokenizer, seeds: range) -> tuple[Tensor, Facts]:
    prompts = [draw_prompt(seed) for seed in seeds]
    ids, lengths = padded(words, [each.text for each in prompts])
    with torch.no_grad():
        states = encoder(encoder.embed(ids))[torch.arange(len(ids)), lengths - 1]
    return torch.cat([states, torch.ones(len(states), 1)], dim=1), facts(prompts)
