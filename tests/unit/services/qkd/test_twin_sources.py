"""Twin field from windows to keys: both ends send, a station announces which detector clicked, and the machines do the rest.

Sessions are seeded; an alarm of a sound link has a chance below 1e-10 for each statistic.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quantum_fabric import documents
from quantum_fabric.cli.keying import FabricWires
from quantum_fabric.errors import QuantityError
from quantum_fabric.fabric import Fabric
from quantum_fabric.keys.postprocessing.estimation import Tally
from quantum_fabric.physics.qkd.attacks import (
    FalseAnnouncement,
    InterceptResend,
    InventedClicks,
    Jamming,
    ManInTheMiddle,
)
from quantum_fabric.physics.qkd.ledger import Security
from quantum_fabric.physics.qkd.twin_clicks import COMPARED, MOST_LOCKS, PhaseLock, TwinStation, sample_twin
from quantum_fabric.physics.qkd.twin_key import TwinSetting
from quantum_fabric.services.qkd.session import Delivery, KeySession, Plan
from quantum_fabric.services.qkd.sources import Happening
from quantum_fabric.services.qkd.twin_sources import TwinSource, noted_down, twin_formula
from quantum_fabric.services.qkd.wires import Wiretap
from quantum_fabric.units import SECOND

STATION = TwinStation((0.05, 0.05), 1e-8, 0.01)
SETTING = TwinSetting(0.85, 0.018, (0.68, 0.17, 0.0), (0.1, 0.3, 0.6))
BLOCK = SECOND


def source(seed: int = 1, station: TwinStation = STATION, **changes: object) -> TwinSource:
    return TwinSource(station, SETTING, PhaseLock(0.1), 1e-9, np.random.default_rng(seed), **changes)  # type: ignore[arg-type]


def held(made: TwinSource, blocks: int = 1, tap: Wiretap | None = None) -> tuple[KeySession, list[Delivery]]:
    fabric = Fabric(documents.inventory(documents.load_network("lab")), seed=1)
    keys: list[Delivery] = []
    plan = Plan("ab", "Alice", "Bob", 0, blocks * BLOCK, BLOCK, BLOCK, Security(1e-9, 1e-12))
    session = KeySession(plan, made, FabricWires(fabric), np.random.default_rng(5), hand=keys.append, tap=tap)
    session.begin()
    fabric.run(blocks * BLOCK + SECOND)
    return session, keys


def test_a_session_gives_equal_keys() -> None:
    session, keys = held(source(), 2)
    assert (session.total.blocks, session.total.delivered, session.total.alarms) == (2, 2, [])
    assert all(each.keys[0] == each.keys[1] for each in keys)
    assert keys[0].keys[0] != keys[1].keys[0]
    assert session.total.bits == sum(each.keys[0].bits for each in keys) > 2 * 10**5
    assert session.total.ledger.total <= 2e-9 + 1e-11
    assert session.budgets[0].balance == session.budgets[1].balance


def test_what_the_ends_note_down() -> None:
    seen = sample_twin(STATION, SETTING, PhaseLock(0.1), 1e-9, 10**8, np.random.default_rng(3))
    first, second = noted_down(seen, 0.1, np.random.default_rng(4))
    assert np.array_equal(first.bases, second.bases)
    key, named = first.bases == 0, first.intensities == COMPARED
    assert np.array_equal(named, second.intensities == COMPARED)
    assert np.array_equal(key | named, seen.keyed)
    assert not (key & named).any()
    assert named.sum() == pytest.approx(0.1 * seen.keyed.sum(), rel=0.05)
    assert not (first.bits | second.bits)[~seen.keyed].any()
    assert 0.0 < (first.bits != second.bits)[key].mean() < 0.05
    # the announced detector is of no use without the bits: it says whether they agree, and nothing of either
    agree = (seen.first == seen.second)[seen.keyed]
    assert np.mean(agree == (seen.detector[seen.keyed] == 0)) > 0.95
    assert abs(np.mean(seen.first[seen.keyed] == seen.detector[seen.keyed]) - 0.5) < 0.02


@pytest.mark.parametrize(
    ("attack", "alarm"),
    [(FalseAnnouncement(0.5), "error rate"), (InventedClicks(0.3), "error rate"),
     (FalseAnnouncement(0.01), ""), (InventedClicks(0.04), "")],
)  # fmt: skip
def test_a_lying_station_is_seen_or_costs_key(attack: FalseAnnouncement | InventedClicks, alarm: str) -> None:
    honest, _ = held(source())
    session, keys = held(source(happenings=(Happening(0, BLOCK, attack),)))
    assert [each.name for each in session.total.alarms] == ([alarm] if alarm else [])
    assert session.total.bits < 0.9 * honest.total.bits
    assert all(each.keys[0] == each.keys[1] for each in keys)
    if alarm:
        assert session.total.bits == 0


def test_a_forger_on_the_classical_line_ends_the_session() -> None:
    session, keys = held(source(), tap=Wiretap(np.random.default_rng(7), ManInTheMiddle()))
    assert keys == []
    assert [each.name for each in session.total.alarms] == ["authentication"]
    assert session.stopped


def test_cuts_of_one_arm_and_of_both() -> None:
    whole = source().block(0, BLOCK)
    dark = source(happenings=(Happening(0, BLOCK),)).block(0, BLOCK)
    assert dark.detections < 100  # dark counts: 2e-8 for each of 1e9 windows
    half = source(happenings=(Happening(0, BLOCK, None, 1),)).block(0, BLOCK)
    assert 0.3 < half.detections / whole.detections < 0.6
    assert half.error_rate > 0.4
    assert "error rate" in [each.name for each in half.alarms]
    faint = source(happenings=(Happening(0, BLOCK, Jamming("quantum", 0.9)),)).block(0, BLOCK)
    assert "gain" in [each.name for each in faint.alarms]
    part = source(happenings=(Happening(BLOCK // 2, BLOCK),)).block(0, BLOCK)
    assert part.detections == pytest.approx(whole.detections / 2, rel=0.02)


def test_unequal_arms_make_keys_with_fewer_bits() -> None:
    equal = replace(STATION, transmissions=(0.05, 0.05))
    skewed = replace(STATION, transmissions=(0.1, 0.025))
    rates = []
    for station in (equal, skewed):
        session, keys = held(source(station=station))
        assert all(each.keys[0] == each.keys[1] for each in keys)
        rates.append(session.total.bits)
    assert rates[1] < rates[0]


def test_the_formula_reads_the_tally_of_the_machines() -> None:
    formula = twin_formula(SETTING, Security(1e-9, 1e-12))
    raw = source().block(0, BLOCK)
    a, b = raw.sender, raw.receiver
    assert a.intensities is not None
    assert b.intensities is not None
    pairs = 4 * a.intensities.astype(int) + b.intensities
    tally = Tally(
        np.bincount(pairs[a.bases == 0], minlength=16).astype(float),
        np.bincount(pairs[a.bases == 1], minlength=16).astype(float),
        np.zeros(16),
    )
    free = formula(tally, 0.0)
    assert 0 < formula(tally, 1e4).length == free.length - 10_000
    more = replace(tally, test=tally.test + 1e5 * (np.arange(16) == 10))  # both sent nothing, and yet
    assert formula(more, 0.0).phase_error > free.phase_error
    named = replace(
        tally, test=tally.test + 1e5 * (np.arange(16) == 15)
    )  # compared windows say nothing of phases
    assert formula(named, 0.0) == free


def test_what_is_refused() -> None:
    with pytest.raises(QuantityError, match="denial_of_service"):
        source(happenings=(Happening(0, BLOCK, InterceptResend()),))
    with pytest.raises(QuantityError, match="lasts"):
        source().block(5, 5)
    with pytest.raises(QuantityError, match="shorter blocks"):
        source(station=replace(STATION, transmissions=(1.0, 1.0))).block(0, 100 * SECOND)
    lock = PhaseLock(0.1, 0.0, 1e-9)
    with pytest.raises(QuantityError, match="longer interval"):
        sample_twin(STATION, SETTING, lock, 1e-9, MOST_LOCKS + 1, np.random.default_rng(1))
    for bad, match in (({"intensity": 0.0}, "intensity"), ({"intensities": (0.1, 0.2, 0.0)}, "order"),
                       ({"probabilities": (0.1, 0.1, 0.1)}, "add up"), ({"compared": 1.0}, "compared"),
                       ({"key_basis": 1.0}, "key_basis")):  # fmt: skip
        with pytest.raises(QuantityError, match=match):
            replace(SETTING, **bad)  # type: ignore[arg-type]
