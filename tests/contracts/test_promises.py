"""What is accepted is kept: a small part of the contract table, and a judge that is not blind.

False alarms: each statistical verdict is wrong with probability 1e-6; seeds are fixed.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.control import contract, contract_worlds
from benchmarks.control.contract_file import go_on, read
from benchmarks.control.contract_judge import Account, Failure, Verdict, covered, lived_through
from benchmarks.control.contract_worlds import Kind
from benchmarks.control.floods import flood

from quantum_fabric.messages import Bell, Delivered, LinkRequest, Outcome, PairId, Promise, Status, Survival
from quantum_fabric.network.methods import Method
from quantum_fabric.units import MS, SECOND


@pytest.mark.parametrize(
    ("name", "seed", "kind", "method"),
    [
        ("pair", 1, Kind.PLAIN, Method.THOROUGH), ("pair", 3, Kind.HELD, Method.THOROUGH),
        ("chain of 3", 2, Kind.PLAIN, Method.THOROUGH), ("ring of 5", 0, Kind.PLAIN, Method.THOROUGH),
        ("star of 4", 5, Kind.FAULTS, Method.THOROUGH), ("chain of 3", 5, Kind.HELD_FAULTS, Method.THOROUGH),
        ("ring of 5", 2, Kind.PLAIN, Method.SWIFT), ("ring of 5", 0, Kind.SURVIVES, Method.SWIFT),
    ],
)  # fmt: skip
def test_promises_are_kept(name: str, seed: int, kind: Kind, method: Method) -> None:
    world = contract_worlds.world(name, seed, 40 if kind.held else 120, kind, 3, method)
    assert world is not None
    books, failures, leases, halves = contract.judged(world, seed)
    verdict = Verdict()
    verdict.add(books.accounts.values(), name, kind in (Kind.FAULTS, Kind.HELD_FAULTS), failures)
    assert verdict.judge() == []
    assert (leases, halves) == (0, 0)
    assert verdict.counts["requests"] == len(world.asked)
    assert verdict.counts["pairs"] > 0
    assert bool(failures) == (kind is Kind.SURVIVES)


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


@pytest.mark.parametrize(
    ("survives", "failures", "must"),
    [
        (Survival.NOTHING, (), True),
        (Survival.NOTHING, (("AB", False, 5, 6),), False),
        (Survival.LINK, (("AB", False, 5, 6),), True),
        (Survival.LINK, (("C", True, 5, 6),), False),
        (Survival.NODE, (("C", True, 5, 6),), True),
        (Survival.NODE, (("A", True, 5, 6),), False),  # the end of the request itself
        (Survival.NODE, (("C", True, 5, 6), ("AB", False, 7, 8)), False),
        (
            Survival.NODE,
            (("C", True, 1, 2), ("AB", False, 7, 8), ("C", True, 12, 13)),
            True,
        ),  # before and after it
    ],
)
def test_one_failure_at_a_time_is_what_is_promised(
    survives: Survival, failures: tuple[tuple[str, bool, int, int], ...], must: bool
) -> None:
    session = replace(account(2, 1, survives=survives), accepted=3, ended=10)
    lived = lived_through(session, [Failure(*each) for each in failures])
    assert covered(session, lived) is must


def test_a_file_goes_on_where_it_stopped(tmp_path: Path) -> None:
    out, seen = tmp_path / "worlds.jsonl", list[str]()

    def told(where: str, table: contract.Table) -> bool:
        seen.append(where)
        return len(seen) % 2 == 0

    go_on(10**6, contract.tour(True, 0), True, out, 1, told)
    with out.open("a") as file:
        file.write('{"where": "cut o')
    begun = read(out)
    assert begun.worlds <= len(seen) == 2
    out.write_text(out.read_text()[: -len('{"where": "cut o')])
    table = go_on(10**6, contract.tour(True, 0), True, out, 1, told)
    assert len(set(seen)) == len(seen) == 4
    assert table.numbers() == read(out).numbers()
    assert table.sessions > begun.sessions


def test_a_flood_is_answered_one_by_one() -> None:
    found = flood(4400)
    assert found["untyped"] == 0
    assert found["queued"] == 4096
    assert found["refused NORES"] == 4400 - 4096 - found["served"]
