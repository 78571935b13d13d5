"""What is accepted is kept: a small part of the contract table, and a judge that is not blind.

False alarms: each statistical verdict is wrong with probability 1e-6; seeds are fixed.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from benchmarks.control import contract, contract_worlds
from benchmarks.control.contract_judge import Account, Verdict
from benchmarks.control.floods import flood

from quantum_fabric.messages import Bell, Delivered, LinkRequest, Outcome, PairId, Promise, Status
from quantum_fabric.units import MS, SECOND


@pytest.mark.parametrize(
    ("name", "seed", "held", "faults"),
    [
        ("pair", 1, False, False), ("pair", 3, True, False), ("chain of 3", 2, False, False), ("ring of 5", 0, False, False),
        ("star of 4", 5, False, True), ("chain of 3", 5, True, True),
    ],
)  # fmt: skip
def test_promises_are_kept(name: str, seed: int, held: bool, faults: bool) -> None:
    world = contract_worlds.world(name, seed, 40 if held else 120, held, customers=3)
    assert world is not None
    books, leases, halves = contract.judged(world, seed, faults)
    verdict = Verdict()
    verdict.add(books.accounts.values(), name, faults)
    assert verdict.judge() == []
    assert (leases, halves) == (0, 0)
    assert verdict.counts["requests"] == len(world.asked)
    assert verdict.counts["pairs"] > 0


def account(delivered: int, ended: int, true: float = 0.9, at: int = MS, **wish: object) -> Account:
    request = LinkRequest("A", "B", 0.8, **{"pairs": 2, "name": "r", **wish})  # type: ignore[arg-type]
    records = [
        Delivered(
            "r",
            n + 1,
            PairId(f"a{n}", f"b{n}"),
            ("A", "B"),
            Bell.PHI_PLUS,
            0.9,
            0.9,
            0.9,
            0,
            (n + 1) * at,
            SECOND,
        )
        for n in range(delivered)
    ]
    outcomes = [
        Outcome("r", Status.COMPLETED if delivered == request.pairs else Status.EXPIRED, delivered, "")
    ] * ended
    return Account(
        request, 0, False, 1, None, outcomes, records, dict.fromkeys(range(1, delivered + 1), true)
    )


@pytest.mark.parametrize(
    ("accounts", "found"),
    [
        ([account(2, 1)], ""),
        ([account(2, 0)], "0 outcomes"),
        ([account(2, 2)], "2 outcomes"),
        ([account(2, 1, true=0.7, promise=Promise.AVERAGE)], "on average"),
        ([account(2, 1, true=0.7)] * 50, "pairs below their fidelity"),
        ([account(1, 1, deadline=MS)] * 50, "deadlines missed"),
        ([account(2, 1, deadline=MS)] * 50, "deadlines missed"),  # the second comes after it
        ([account(2, 1, window=MS // 2)], "window"),
        ([account(2, 1, rate=1010.0)] * 200, "rate"),
        ([account(2, 1, rate=990.0)] * 200, ""),
        ([replace(account(2, 1), answers=2)], "2 answers"),
        ([replace(account(2, 1), truths={1: 0.9})], "nobody had"),
    ],
)  # fmt: skip
def test_the_judge_finds_what_is_broken(accounts: list[Account], found: str) -> None:
    verdict = Verdict()
    verdict.add(accounts, "here")
    said = verdict.judge()
    assert bool(said) == bool(found), said
    assert all(found in each for each in said[:1])


def test_a_flood_is_answered_one_by_one() -> None:
    found = flood(4400)
    assert found["untyped"] == 0
    assert found["queued"] == 4096
    assert found["refused NORES"] == 4400 - 4096 - found["served"]
