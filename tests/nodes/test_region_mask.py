"""Regions as masks and pictures, and a track that plays only there."""

from typing import Any

import pytest
import torch

from tests.nodes.lm_prompts import node, shown
from tests.nodes.task_prompts import (
    BASE,
    Run,
    made,
    task,
    whole,
)
from tests.nodes.without_host import host_task

SECONDS = 6.0


@pytest.mark.parametrize(
    ("by", "first", "behind"),
    [
        ({"by": "seconds", "by.start": 1.0, "by.end": 2.0}, 25, 50),
        ({"by": "seconds", "by.start": 4.0, "by.end": -1.0}, 100, 150),
        ({"by": "beats", "by.first_beat": 3, "by.beats": 4, "by.bpm": 120}, 25, 75),
        (
            {
                "by": "bars",
                "by.first_bar": 2,
                "by.bars": 1,
                "by.bpm": 120,
                "by.time_signature": "3/4",
            },
            37,
            75,
        ),
    ],
)
def test_a_region_becomes_a_mask_and_a_picture(
    run: Run, by: dict[str, Any], first: int, behind: int
) -> None:
    nodes = {
        "sound": task("Cover")["sound"],
        "where": node("RegionMask", source=["sound", 0], **by),
    }
    found = run({**nodes, "out": shown("where", 0)})
    mask, image = found.values["where"]
    expected = torch.zeros(150)
    expected[first:behind] = 1
    assert torch.equal(mask[0, 0], expected)
    assert image.shape == (1, 128, 768, 3)
    assert len(image[0, 0].unique(dim=0)) >= 2


def test_regions_add_up(run: Run) -> None:
    def part(start: float, end: float, **more: Any) -> dict[str, Any]:
        by = {"by": "seconds", "by.start": start, "by.end": end}
        return node("RegionMask", source=["sound", 0], **by, **more)

    nodes = {"sound": task("Cover")["sound"], "one": part(1.0, 2.0)}
    nodes["both"] = part(4.0, 5.0, mask=["one", 0])
    mask = run({**nodes, "out": shown("both", 0)}).values["both"][0]
    assert mask[0, 0].nonzero().flatten().tolist() == [*range(25, 50), *range(100, 125)]


def test_a_lego_plays_only_where_its_mask_says(run: Run) -> None:
    nodes = whole("Lego", BASE, mask=["where", 0])
    by = {"by": "seconds", "by.start": 1.0, "by.end": 2.0}
    nodes["where"] = node("RegionMask", source=["sound", 0], **by)
    given = host_task(run({**nodes, "out": shown("task", 0)})).task
    assert given.mask.sum() == 25
    assert given.source_use.value == "whole"
    nodes["task"]["inputs"]["keep_source"] = True
    found = run(nodes)
    source = host_task(found).task.source.transpose(1, 2)
    assert torch.equal(made(found)[..., 100:], source[..., 100:])
