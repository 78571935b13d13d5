"""QKD sessions on a running fabric: what a workload says of keys, put into the network's future. ``run`` and ``qkd`` share it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from quantum_fabric.cli.qkd_station import happenings, station_source, station_stance
from quantum_fabric.documents import Inventory, Workload
from quantum_fabric.documents.qkd_checks import meeting_of
from quantum_fabric.documents.qkd_entries import AttackSpec, QkdSpec
from quantum_fabric.errors import Caution, InputError
from quantum_fabric.fabric import TIMER, Fabric
from quantum_fabric.links.direct_transmission import DirectTransmission
from quantum_fabric.links.weak_pulses import decoy_setting, pulse_link
from quantum_fabric.physics.qkd.clicks import UNWATCHED
from quantum_fabric.physics.qkd.ledger import Security
from quantum_fabric.units import SECOND, Time

if TYPE_CHECKING:
    import numpy as np

    from quantum_fabric.services.qkd.session import Hand, KeySession
    from quantum_fabric.services.qkd.signatures import Stance
    from quantum_fabric.services.qkd.sources import PairSource, PulseSource
    from quantum_fabric.services.qkd.station_sources import StationSource
    from quantum_fabric.services.qkd.twin_sources import TwinSource
    from quantum_fabric.services.qkd.wires import Wiretap


class FabricWires:
    """The classical channel of a fabric, as a session takes it.

    Args:
        fabric: the running network.
    """

    def __init__(self, fabric: Fabric) -> None:
        self._fabric = fabric

    @property
    def now(self) -> Time:
        """Virtual time, ps."""
        return self._fabric.now

    def delay(self, sender: str, receiver: str) -> Time:
        """One-way classical delay between two nodes, ps."""
        return self._fabric.delay(sender, receiver)

    def later(self, at: Time, act: Callable[[], None]) -> None:
        """Act at a time that is not past."""
        self._fabric.clock.schedule(at, TIMER, lambda _: act())


def need_keys() -> None:
    """Say what is missing where `quantum_fabric.keys` cannot be imported.

    Raises:
        InputError: the extra ``server`` is not installed.
    """
    try:
        import cryptography  # noqa: F401
    except ImportError:
        expected = "the extra 'server': pip install 'quantum-fabric[server]'"
        raise InputError("no cryptography", expected, "qkd") from None


def sessions(fabric: Fabric, workload: Workload, until: Time, hand: Hand | None = None) -> list[KeySession]:
    """Begin the QKD sessions of a workload on a fabric, with the attacks on them.

    Args:
        fabric: the network, its clock before the sessions.
        workload: that fits it.
        until: end of the run, ps.
        hand: takes each key; None for nobody.

    Raises:
        InputError: keys are asked for and the extra is not installed.
    """
    if not workload.qkd:
        return []
    need_keys()
    begun = []
    for spec in workload.qkd:
        if spec.start < until:
            if spec.over_memories:
                begun.append(over_memories(fabric, spec, workload, hand))
                continue
            made = begin(fabric, spec, workload, min(spec.until, until), hand)
            made.begin()
            begun.append(made)
    return begun


def begin(
    fabric: Fabric, spec: QkdSpec, workload: Workload | None, until: Time, hand: Hand | None = None
) -> KeySession:
    """One session, ready to begin.

    Args:
        fabric: the network.
        spec: the session.
        workload: attacks and faults; None for none.
        until: end of the session, ps.
        hand: takes each key.
    """
    from quantum_fabric.services.qkd.session import KeySession, Plan

    draws = fabric.streams.stream(f"qkd/{spec.name}")
    source = source_of(spec, fabric.inventory, generator(draws.bits()), workload)
    plan = Plan(
        spec.name, spec.source, spec.destination, spec.start, until, spec.block, spec.every,
        Security(spec.secrecy, spec.correctness),
    )  # fmt: skip
    tap = _tapped(fabric, spec, workload, generator(draws.bits()))
    wires = FabricWires(fabric)
    return KeySession(plan, source, wires, generator(draws.bits()), hand=hand, tell=fabric.tell, tap=tap)


def over_memories(fabric: Fabric, spec: QkdSpec, workload: Workload, hand: Hand | None = None) -> KeySession:
    """A session that works on pairs as the network delivers them.

    Args:
        fabric: the network.
        spec: the session, without a link.
        workload: attacks on the session.
        hand: takes each key.
    """
    from quantum_fabric.cli.pair_feed import PairFeed
    from quantum_fabric.services.qkd.session import KeySession, Plan
    from quantum_fabric.services.qkd.sources import MeasuredSource

    draws = fabric.streams.stream(f"qkd/{spec.name}")
    rng = generator(draws.bits())
    source = MeasuredSource(worst_weights(spec.fidelity), rng, spec.protocol)
    plan = Plan(
        spec.name, spec.source, spec.destination, spec.start, spec.until, 1, 1,
        Security(spec.secrecy, spec.correctness), replenish=384,
    )  # fmt: skip
    tap = _tapped(fabric, spec, workload, generator(draws.bits()))
    wires = FabricWires(fabric)
    session = KeySession(plan, source, wires, generator(draws.bits()), hand=hand, tell=fabric.tell, tap=tap)
    attacks = [each for each in workload.attacks if (each.on, each.kind) == (spec.name, "intercept_resend")]
    PairFeed(fabric, spec, session, source, rng, attacks)
    return session


def worst_weights(fidelity: float) -> tuple[float, float, float, float]:
    """Weights of equal errors in all bases, so large as the fidelity allows in any one: all that is missing may sit in one error.

    Examples:
        >>> [round(w, 3) for w in worst_weights(0.9)]  # error 0.1 in each basis
        [0.85, 0.05, 0.05, 0.05]
    """
    first = 1.0 - 1.5 * (1.0 - fidelity)
    rest = (1.0 - first) / 3.0
    return (first, rest, rest, rest)


def source_of(
    spec: QkdSpec, inventory: Inventory, rng: np.random.Generator, workload: Workload | None = None
) -> PulseSource | PairSource | StationSource | TwinSource:
    """The clicks of a session's link, or of its station.

    Args:
        spec: the session.
        inventory: the plant as it is.
        rng: source of draws.
        workload: attacks and faults on the link; None for none.
    """
    from quantum_fabric.services.qkd.sources import PairSource, PulseSource

    if spec.station is not None:
        return station_source(spec, inventory, rng, workload)
    assert spec.link is not None
    model = inventory.links[spec.link].model
    what = happenings(spec.link, workload) if workload is not None else ()
    if isinstance(model, DirectTransmission):
        numbers, _ = pulse_link(model)
        setting = decoy_setting(model.source, spec.key_basis)  # type: ignore[arg-type]  # checked with the document
        return PulseSource(numbers, setting, rng, spec.watch, happenings=what)
    point = model.heralding()
    rate = point.success * SECOND / point.cycle
    return PairSource(point.weights, rate, rng, spec.protocol, spec.key_basis, happenings=what)


def stances(workload: Workload, inventory: Inventory) -> list[tuple[AttackSpec, Stance]]:
    """How each attack of a workload stands to what its target has declared: shown by which alarm, or by none and why."""
    from quantum_fabric.services.qkd.signatures import stance

    found = []
    for attack in workload.attacks:
        said = station_stance(attack, workload, inventory)
        if said is None:
            uses = {"link": "link", "session": "name"}.get(attack.target)
            spec = next((each for each in workload.qkd if uses and getattr(each, uses) == attack.on), None)
            pulses = spec is None or spec.protocol == "bb84"
            watch, chsh = (spec.watch, spec.protocol == "e91") if spec else (UNWATCHED, False)
            due = doubles(spec, inventory) if spec is not None and spec.protocol == "bb84" else 0.0
            said = stance(attack.attack, watch=watch, decoys=True, pulses=pulses, chsh=chsh, doubles=due)
        found.append((attack, said))
    return found


def doubles(spec: QkdSpec, inventory: Inventory) -> float:
    """Double clicks of a block of weak pulses, on average."""
    from quantum_fabric.physics.qkd.clicks import chances
    from quantum_fabric.physics.qkd.fates import fates

    assert spec.link is not None
    model = inventory.links[spec.link].model
    assert isinstance(model, DirectTransmission)
    numbers, _ = pulse_link(model)
    setting = decoy_setting(model.source, spec.key_basis)  # type: ignore[arg-type]  # checked with the document
    table = chances(numbers, setting, fates(numbers, setting.intensities[0]))
    return float(table[..., 4].sum()) * spec.block / SECOND / numbers.period


def cautions(workload: Workload, inventory: Inventory) -> tuple[Caution, ...]:
    """Where the links of QKD sessions use models outside their validity."""
    said: list[Caution] = []
    for spec in workload.qkd:
        if spec.station is not None:
            said += meeting_of(spec, inventory).cautions
        if spec.link is None:
            continue
        model = inventory.links[spec.link].model
        said += pulse_link(model)[1] if isinstance(model, DirectTransmission) else model.heralding().cautions
    return tuple(dict.fromkeys(said))


def _tapped(
    fabric: Fabric, spec: QkdSpec, workload: Workload | None, rng: np.random.Generator
) -> Wiretap | None:
    from quantum_fabric.services.qkd.wires import Wiretap

    attacks = (
        [
            each
            for each in workload.attacks
            if (each.target, each.on) == ("session", spec.name) and each.kind != "intercept_resend"
        ]
        if workload
        else []
    )
    if not attacks:
        return None
    tap, wires = Wiretap(rng), FabricWires(fabric)

    def turn(attack: AttackSpec | None) -> Callable[[], None]:
        def act() -> None:
            tap.attack = attack.attack if attack is not None else None

        return act

    for attack in sorted(attacks, key=lambda each: each.at):
        wires.later(attack.until, turn(None))
        wires.later(attack.at, turn(attack))
    return tap


def generator(seed: int) -> np.random.Generator:
    """A source of draws in numpy for a seed of 64 bits."""
    import numpy as np

    return np.random.Generator(np.random.Philox(key=seed))
