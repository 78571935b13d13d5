"""MDI-QKD from windows to keys: both ends send, a station announces, and the machines of every other protocol do the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quantum_fabric import documents
from quantum_fabric.cli.keying import FabricWires
from quantum_fabric.errors import ProtocolError, QuantityError
from quantum_fabric.fabric import Fabric
from quantum_fabric.keys.postprocessing.authentication import Budget
from quantum_fabric.keys.postprocessing.exchange import Line, run
from quantum_fabric.keys.postprocessing.secret import SecretBits
from quantum_fabric.keys.postprocessing.session import Receiver, Sender
from quantum_fabric.keys.postprocessing.sifting import Record
from quantum_fabric.keys.postprocessing.terms import Terms
from quantum_fabric.physics.qkd.attacks import InterceptResend
from quantum_fabric.physics.qkd.finite_rate import Setting
from quantum_fabric.physics.qkd.ledger import Security
from quantum_fabric.physics.qkd.mdi import BellStation
from quantum_fabric.services.qkd.session import Delivery, KeySession, Plan
from quantum_fabric.services.qkd.sources import Happening
from quantum_fabric.services.qkd.station_sources import StationSource
from quantum_fabric.units import SECOND

STATION = BellStation(dark=1e-7, misalignment=0.005)
SETTING = Setting(0.68, (0.25, 0.07, 0.0), (0.2, 0.3, 0.5))
BLOCK = 6 * SECOND


def source(seed: int = 1, station: BellStation = STATION, **changes: object) -> StationSource:
    rng = np.random.default_rng(seed)
    return StationSource(station, (0.5, 0.5), SETTING, 1e-9, rng, **changes)  # type: ignore[arg-type]


def test_a_session_gives_equal_keys() -> None:
    fabric = Fabric(documents.inventory(documents.load_network("lab")), seed=1)
    keys: list[Delivery] = []
    plan = Plan("ab", "Alice", "Bob", 0, BLOCK, BLOCK, BLOCK, Security(1e-9, 1e-12))
    session = KeySession(plan, source(), FabricWires(fabric), np.random.default_rng(5), hand=keys.append)
    session.begin()
    fabric.run(BLOCK + SECOND)
    assert session.total.delivered == 1
    assert keys[0].keys[0] == keys[0].keys[1]
    assert session.total.bits == keys[0].keys[0].bits > 10**5
    assert session.total.ledger.total <= 1e-9 + 1e-11
    assert session.budgets[0].balance == session.budgets[1].balance


def ends(first: Record, second: Record, terms: Terms) -> tuple[Sender, Receiver]:
    rng = np.random.default_rng(3)
    shared = SecretBits(rng.bytes(256), 2048)
    return (
        Sender(first, terms, Budget(shared), rng.bytes),
        Receiver(second, terms, Budget(shared), rng.bytes),
    )


def terms(seen: StationSource, **changes: object) -> Terms:
    agreed = Terms(
        b"x", seen.formula(Security(1e-9, 1e-12)), 1e-12, intensities=3, error_rate=seen.guess, joint=True
    )
    return replace(agreed, **changes)  # type: ignore[arg-type]


def test_the_key_is_made_of_the_strongest_windows_only() -> None:
    seen = source()
    raw = seen.block(0, BLOCK)
    line = Line()
    ours, theirs, _ = run(*ends(raw.sender, raw.receiver, terms(seen)), line)
    assert raw.sender.intensities is not None
    assert raw.receiver.intensities is not None
    strong = (raw.sender.intensities == 0) & (raw.receiver.intensities == 0) & (raw.sender.bases == 0)
    assert ours.sifted == theirs.sifted == int(strong.sum())
    wrong = int((raw.sender.bits != raw.receiver.bits)[strong].sum())
    assert theirs.corrected == wrong > 0
    assert line.told_by(0) == ours.told
    assert ours.key == theirs.key
    assert len(ours.key)


def test_a_key_that_a_station_cheats_for_is_no_key() -> None:
    """A station that announces at random knows nothing about the bits, and the ends notice that they know nothing of each other's."""
    seen = source(station=replace(STATION, misalignment=0.5))
    raw = replace(seen, declared=STATION).block(0, BLOCK)
    assert [alarm.name for alarm in raw.alarms] == ["error rate"]
    ours, _, _ = run(*ends(raw.sender, raw.receiver, terms(seen)), Line())
    assert not len(ours.key)
    assert ours.reason == "no key even with free error correction"


def test_a_cut_is_noticed() -> None:
    seen = source(happenings=(Happening(0, 5 * SECOND),))
    assert [alarm.name for alarm in seen.block(0, BLOCK).alarms] == ["gain"]


def test_sound_blocks_raise_no_alarm() -> None:
    """Chance of one alarm in 2 statistics of 20 blocks: below 40e-10."""
    for seed in range(20):
        assert not source(seed).block(0, SECOND // 5).alarms


def test_an_intensity_that_was_not_agreed_on() -> None:
    seen = source()
    raw = seen.block(0, SECOND // 100)
    odd = Record(raw.receiver.bases, raw.receiver.bits, np.full(len(raw.receiver), 3))
    with pytest.raises(ProtocolError, match="not agreed"):
        run(*ends(raw.sender, odd, terms(seen)), Line())


def test_ends_that_disagree_on_who_sends() -> None:
    seen = source()
    raw = seen.block(0, SECOND // 100)
    sender, _ = ends(raw.sender, raw.receiver, terms(seen))
    _, receiver = ends(raw.sender, raw.receiver, terms(seen, joint=False))
    with pytest.raises(ProtocolError):
        run(sender, receiver, Line())


def test_what_is_refused() -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(QuantityError, match="three"):
        StationSource(STATION, (0.5, 0.5), Setting(0.7, (0.5, 0.1), (0.7, 0.3)), 1e-9, rng)
    with pytest.raises(QuantityError, match="denial_of_service"):
        source(happenings=(Happening(0, SECOND, InterceptResend()),))
    with pytest.raises(QuantityError, match="shorter blocks"):
        source().block(0, 1000 * SECOND)
    with pytest.raises(QuantityError, match="a time that lasts"):
        source().block(5, 5)
