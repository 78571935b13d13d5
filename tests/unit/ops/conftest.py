"""A made-up run, message by message: A and B ask for pairs through the repeater R; times in milliseconds of a toy clock."""

from __future__ import annotations

import pytest

from quantum_fabric.messages import (
    Accepted,
    Bell,
    Calibration,
    Code,
    Commit,
    Consume,
    Delivered,
    Discard,
    Distillation,
    Forecast,
    GenerateRule,
    Heralded,
    Join,
    Joined,
    LinkChanged,
    LinkPlan,
    LinkRequest,
    Message,
    NodeFailed,
    Order,
    Outcome,
    PairId,
    Plan,
    Prepare,
    PurifyAnswer,
    Refused,
    Side,
    Stale,
    Status,
    Substandard,
    Swapped,
    Truth,
)
from quantum_fabric.units import MS

Stream = list[tuple[int, str, Message]]

PLAN = Plan(
    path=("A", "R", "B"),
    links=(
        LinkPlan("A~R", "A", "R", 1, 0.05, 0, 1e-3, 10_000_000, 0.97),
        LinkPlan("R~B", "R", "B", 1, 0.05, 0, 1e-3, 10_000_000, 0.96),
    ),
    order=Order.ASAP,
    joins=(Join("R", "A", "B"),),
    end_rounds=0,
    distillation=Distillation.DEJMPS,
    cutoff=80 * MS,
    forecast=Forecast(rate=25.0, rate_error=0.0, fidelity=0.92, fidelity_low=0.9, latency=40 * MS),
)
NOISE = Calibration(
    t1=1.0, t2=0.5, depolarising_1=0.0, depolarising_2=0.0, readout_error_0=0.0, readout_error_1=0.0
)


def prepare(node: str, *rules: GenerateRule) -> Prepare:
    return Prepare(1, "video", node, rules, NOISE, 10**15, 10**15)


def delivery(number: int, created: int, at: int) -> Delivered:
    pair = PairId(f"A~R/0#{number}", f"R~B/0#{number}")
    return Delivered(
        "video",
        number,
        pair,
        ("A", "B"),
        Bell.PHI_PLUS,
        0.91,
        0.90,
        0.92,
        created * MS,
        at * MS,
        (at + 50) * MS,
    )


def story(number: int, start: int) -> Stream:
    """One delivered pair: heralds 10 and 20 ms after `start`, swap at 30, used at 31, known at 32 ms, told at 33 ms."""
    left, right = f"A~R/0#{number}", f"R~B/0#{number}"
    born_left, born_right = (start + 10) * MS, (start + 20) * MS
    truth = Truth((("B", right), ("A", left)), Bell.PHI_PLUS, (0.9, 0.1, 0.0, 0.0), (start + 31) * MS)
    return [
        ((start + 11) * MS, "A", Heralded("A", 0, "A~R", left, Bell.PSI_PLUS, born_left, born_left)),
        ((start + 11) * MS, "R", Heralded("R", 0, "A~R", left, Bell.PSI_PLUS, born_left, born_left)),
        ((start + 21) * MS, "R", Heralded("R", 1, "R~B", right, Bell.PSI_PLUS, born_right, born_right)),
        ((start + 21) * MS, "B", Heralded("B", 0, "R~B", right, Bell.PSI_PLUS, born_right, born_right)),
        ((start + 30) * MS, "R", Swapped("R", 0, 1, Bell.PHI_PLUS)),
        (
            (start + 30) * MS,
            "A",
            Joined(1, left, left, "B", right, Bell.PHI_PLUS, (1.0, 1.0, 1.0), born_right, (2.0, 2.0, 1.0)),
        ),
        ((start + 31) * MS, "A", Consume("A", 0, Bell.PHI_PLUS)),
        ((start + 31) * MS, "B", Consume("B", 0, Bell.PHI_PLUS)),
        ((start + 31) * MS, "plant", truth),
        ((start + 33) * MS, "client", delivery(number, start + 10, start + 32)),
    ]


@pytest.fixture
def stream() -> Stream:
    """Two requests: "video" gets two of its three pairs and expires; "greedy" is refused with an offer."""
    video = LinkRequest("A", "B", 0.88, pairs=3, rate=10.0, deadline=200 * MS, name="video")
    greedy = LinkRequest("A", "B", 0.99, pairs=5, name="greedy")
    offer = LinkRequest("A", "B", 0.93, pairs=2, rate=1.5, deadline=400 * MS, name="greedy")
    fresh = (0.98, 0.96, 0.98)
    return [
        (100 * MS, "controller", video),
        (100 * MS, "controller", greedy),
        (100 * MS, "client", Refused("greedy", Code.UNSUPP, "link A~R", "0.97 < 0.995 needed", offer)),
        (100 * MS, "client", Outcome("greedy", Status.REFUSED, 0, "0.97 < 0.995 needed")),
        (100 * MS, "client", Accepted("video", PLAN)),
        (
            102 * MS,
            "A",
            prepare("A", GenerateRule("A~R", "R", Side.RIGHT, (0,), (0,), 0.05, fresh, (2.0, 2.0, 1.0))),
        ),
        (
            102 * MS,
            "R",
            prepare("R", GenerateRule("R~B", "B", Side.RIGHT, (1,), (0,), 0.05, fresh, (2.0, 2.0, 1.0))),
        ),
        (
            103 * MS,
            "B",
            prepare("B", GenerateRule("R~B", "R", Side.LEFT, (0,), (0,), 0.05, fresh, (2.0, 2.0, 1.0))),
        ),
        (105 * MS, "A", Commit(1)),
        (105 * MS, "R", Commit(1)),
        (106 * MS, "B", Commit(1)),
        *story(1, 110),
        *story(2, 150),
        (190 * MS, "A", Heralded("A", 0, "A~R", "A~R/0#3", Bell.PSI_PLUS, 189 * MS, 189 * MS)),
        (195 * MS, "A", Discard("A", 0)),
        (196 * MS, "R", Swapped("R", 0, 1, None)),
        (197 * MS, "A", PurifyAnswer(1, "x", False, Bell.PHI_PLUS, (1.0, 1.0, 1.0), 0)),
        (197 * MS, "A", PurifyAnswer(1, "x", True, Bell.PHI_PLUS, (1.0, 1.0, 1.0), 0)),
        (198 * MS, "controller", Substandard("video", PairId("x", "y"), 0.85, 0.88)),
        (198 * MS, "A", Stale("A", "Joined", 1)),
        (198 * MS, "A", LinkChanged("A", "A~R", False)),
        (198 * MS, "R", LinkChanged("R", "A~R", False)),
        (199 * MS, "A", LinkChanged("A", "A~R", True)),
        (199 * MS, "R", NodeFailed("R")),
        (200 * MS, "client", Outcome("video", Status.EXPIRED, 2, "2 of 3 pairs by the deadline")),
    ]
