"""Whether a network has what the QKD sessions and attacks of a workload speak of."""

from __future__ import annotations

from collections.abc import Sequence

from quantum_fabric.devices import WeakPulse
from quantum_fabric.documents.assembly import Inventory
from quantum_fabric.documents.findings import Report, nearest
from quantum_fabric.documents.qkd_entries import STATION_PROTOCOLS, AttackSpec, QkdSpec
from quantum_fabric.documents.reading import quoted
from quantum_fabric.errors import QuantityError
from quantum_fabric.links.direct_transmission import DirectTransmission
from quantum_fabric.links.middle_station import Meeting, meeting
from quantum_fabric.links.weak_pulses import decoy_setting, intensities, pulse_link
from quantum_fabric.physics.qkd.twin_key import TwinSetting

PULSES_ONLY = ("photon_number_splitting", "blinding", "time_shift", "trojan_horse")
"""Attacks that want a link of weak pulses: what they act on is modelled there alone."""

STATIONS_ONLY = ("false_announcement", "invented_clicks")
"""Attacks of a station between two senders."""


def check_sessions(sessions: Sequence[QkdSpec], inventory: Inventory, report: Report) -> None:
    """Report sessions that the network cannot hold.

    Args:
        sessions: in the order of the document.
        inventory: of the network.
        report: told of each fault.
    """
    for number, spec in enumerate(sessions):
        place = ("qkd", number)
        for key, name in (("from", spec.source), ("to", spec.destination)):
            if name not in inventory.nodes:
                report(
                    (*place, key),
                    quoted(name),
                    nearest("a node of the network", name, sorted(inventory.nodes)),
                )
        if spec.station is not None:
            _check_station(spec, inventory, number, report)
            continue
        if spec.link is None:
            continue
        if spec.link not in inventory.links:
            report(
                (*place, "link"),
                quoted(spec.link),
                nearest("a link of the network", spec.link, sorted(inventory.links)),
            )
            continue
        entry = inventory.links[spec.link]
        ends, wanted = (entry.a, entry.b), (spec.source, spec.destination)
        if wanted != ends and (spec.protocol == "bb84" or wanted != ends[::-1]):
            expected = f"a link from {spec.source!r} to {spec.destination!r}, sender first"
            report((*place, "link"), f"{spec.link!r} from {entry.a!r} to {entry.b!r}", expected)
            continue
        model = entry.model
        if spec.protocol == "bb84":
            if not isinstance(model, DirectTransmission) or not isinstance(model.source, WeakPulse):
                found = f"bb84 over {model.architecture}"
                report((*place, "protocol"), found, "a link 'direct_transmission' with a weak_pulse")
                continue
            try:
                decoy_setting(model.source, spec.key_basis)
                pulse_link(model)
            except QuantityError as error:
                report((*place, "link"), f"{error.where}: {error.found}", error.expected)
        elif model.stores or isinstance(model, DirectTransmission):
            found = f"{spec.protocol} over {model.architecture}"
            expected = "a link of pairs of photons: pair_distribution or satellite_double_downlink"
            report((*place, "protocol"), found, expected)


def arms_of(spec: QkdSpec, inventory: Inventory) -> tuple[list[str], list[str]]:
    """Links of weak pulses from both ends of a session to its station, the end first; one of each where all is well.

    Args:
        spec: a session with a station.
        inventory: of the network.
    """
    first, second = (
        [
            name
            for name, entry in inventory.links.items()
            if (entry.a, entry.b) == (end, spec.station) and isinstance(entry.model, DirectTransmission)
        ]
        for end in (spec.source, spec.destination)
    )
    return first, second


def twin_setting(spec: QkdSpec, source: WeakPulse) -> TwinSetting:
    """What both ends of a twin field choose: decoys of the source, key pulses of the session.

    Raises:
        QuantityError: another number of intensities.
    """
    mu, p = intensities(source)
    if len(mu) != 3:
        raise QuantityError(f"{len(mu)} intensities", "a weak_pulse with signal, decoy and vacuum", "source")
    return TwinSetting(spec.key_basis, spec.intensity, (mu[0], mu[1], mu[2]), (p[0], p[1], p[2]))


def meeting_of(spec: QkdSpec, inventory: Inventory) -> Meeting:
    """The numbers of a session's station.

    Args:
        spec: a session with a station and one arm to it from each end.
        inventory: of the network.

    Raises:
        QuantityError: ends that do not send alike, or devices that do not fit.
    """
    (first,), (second,) = arms_of(spec, inventory)
    one, other = (inventory.links[name].model for name in (first, second))
    assert isinstance(one, DirectTransmission)
    assert isinstance(other, DirectTransmission)
    if not isinstance(one.source, WeakPulse):
        raise QuantityError(type(one.source).__name__, "a weak_pulse", "source")
    mu, p = intensities(one.source)
    mean = sum(x * y for x, y in zip(mu, p, strict=True))
    if spec.protocol == "mdi":
        if len(mu) != 3:
            raise QuantityError(
                f"{len(mu)} intensities", "a weak_pulse with signal, decoy and vacuum", "source"
            )
        return meeting(one, other, mean, 4)
    twin_setting(spec, one.source)
    return meeting(one, other, spec.key_basis * spec.intensity + (1.0 - spec.key_basis) * mean, 2)


def _check_station(spec: QkdSpec, inventory: Inventory, number: int, report: Report) -> None:
    """Report what a session with a station misses."""
    place = ("qkd", number)
    if spec.station not in inventory.nodes:
        expected = nearest("a node of the network", str(spec.station), sorted(inventory.nodes))
        report((*place, "station"), quoted(spec.station), expected)
        return
    whole = True
    for end, found in zip((spec.source, spec.destination), arms_of(spec, inventory), strict=True):
        if len(found) != 1:
            said = f"{len(found)} links from {end!r} to {spec.station!r}"
            expected = "one link 'direct_transmission' from each end to the station, the end first"
            report((*place, "station"), said, expected)
            whole = False
    if not whole:
        return
    try:
        meeting_of(spec, inventory)
    except QuantityError as error:
        report((*place, "station"), f"{error.where}: {error.found}", error.expected)


def check_attacks(
    attacks: Sequence[AttackSpec], sessions: Sequence[QkdSpec], inventory: Inventory, report: Report
) -> None:
    """Report attacks on what is not there, or two at once on one thing.

    Args:
        attacks: in the order of the document.
        sessions: of the same workload.
        inventory: of the network.
        report: told of each fault.
    """
    over: dict[str, list[str]] = {}
    for spec in sessions:
        if spec.link is not None:
            over.setdefault(spec.link, []).append(spec.protocol)
        for arms in arms_of(spec, inventory) if spec.station is not None else ():
            for name in arms:
                over.setdefault(name, []).append(spec.protocol)
    stations = {spec.station for spec in sessions}
    known = {
        "link": sorted(over),
        "session": [spec.name for spec in sessions],
        "node": sorted(inventory.nodes),
    }
    words = {
        "link": "a link that a QKD session uses",
        "session": "a QKD session",
        "node": "a node of the network",
    }
    for number, attack in enumerate(attacks):
        place = ("attacks", number, attack.target)
        if attack.on not in known[attack.target]:
            report(place, quoted(attack.on), nearest(words[attack.target], attack.on, known[attack.target]))
            continue
        if attack.kind == "intercept_resend" and attack.target == "session":
            held = next(spec for spec in sessions if spec.name == attack.on)
            found = f"intercept_resend on session {attack.on!r}"
            if held.link is not None:
                report(place, found, f"its link: {held.link!r}")
            elif held.station is not None:
                report(place, found, f"an attack at its station, {held.station!r}")
        if attack.kind in STATIONS_ONLY and attack.on not in stations:
            report(place, f"{attack.kind} at {attack.on!r}", "the station of a QKD session")
        arm = any(name in STATION_PROTOCOLS for name in over.get(attack.on, []))
        if attack.target == "link" and arm and attack.kind not in ("denial_of_service", *PULSES_ONLY):
            expected = "denial_of_service, or an attack at the station"
            report(place, f"{attack.kind} on the way to a station", expected)
        if attack.kind in PULSES_ONLY and "bb84" not in over.get(attack.on, []):
            report(place, f"{attack.kind} on {attack.on!r}", "a link of weak pulses")
        for other in attacks[:number]:
            same = (other.target, other.on) == (attack.target, attack.on)
            still = attack.target != "node" or {attack.kind, other.kind} <= set(STATIONS_ONLY)
            if same and still and other.at < attack.until and attack.at < other.until:
                found = f"{attack.kind} while {other.kind} lasts"
                report(place, found, f"one attack at a time on a {attack.target}")
