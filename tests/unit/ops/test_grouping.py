"""Requests are put together only when there are too many, and nothing is left out."""

from __future__ import annotations

import pytest

from quantum_fabric.messages import LinkRequest, Message
from quantum_fabric.ops.grouping import group
from quantum_fabric.ops.losses import Losses
from quantum_fabric.ops.requests import Histories, History
from quantum_fabric.units import SECOND

Stream = list[tuple[int, str, Message]]


def test_few_requests_stand_alone_with_their_losses(stream: Stream) -> None:
    histories, losses = Histories(), Losses()
    for item in stream:
        histories(*item)
        losses(*item)
    groups, remark = group(list(histories), losses, most=8)
    assert remark == ""
    video, greedy = groups
    assert (video.label, video.submitted, video.delivered) == ("video", 0.1, [0.142, 0.182])
    assert (video.fidelities, video.floors) == ([0.9, 0.9], [0.88])
    assert video.time is not None
    assert sum(video.time) == pytest.approx(0.041)
    assert video.fidelity is not None
    assert sum(video.fidelity) == pytest.approx(0.1)
    assert (greedy.delivered, greedy.floors, greedy.time, greedy.fidelity) == ([], [], None, None)


def test_many_requests_are_shown_by_their_ends_and_the_rest_together() -> None:
    histories = [History(LinkRequest(f"A{i % 12}", "B", 0.9, name=f"r{i}"), i * SECOND) for i in range(24)]
    groups, remark = group(histories, Losses(), most=8)
    assert len(groups) == 8
    assert groups[0].label == "A0 → B (2 requests)"
    assert groups[-1].label == "all others (10 requests)"
    assert groups[-1].submitted == 7.0
    assert remark == "The 7 busiest pairs of ends are shown, and all others together."
