"""The real host's executor in this process."""

from typing import Any

import pytest
import torch

from tests.host.test_server import silence
from tools.hosts.host import Host


def test_results_are_read_and_not_written_out(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """As text a tensor takes longer than a small model that makes it."""
    written: list[torch.Tensor] = []
    write = torch.Tensor.__repr__

    def noted(self: torch.Tensor, **options: Any) -> str:
        written.append(self)
        return write(self, **options)

    monkeypatch.setattr(torch.Tensor, "__repr__", noted)
    outcome = host.run(silence(0.25))
    assert outcome.complete, outcome.why()
    assert outcome.values["1"][0]["waveform"].shape[-1] == 12_000
    assert len(written) == 0
