"""Whether a network has what the QKD sessions and attacks of a workload speak of."""

from __future__ import annotations

from collections.abc import Sequence

from quantum_fabric.devices import WeakPulse
from quantum_fabric.documents.assembly import Inventory
from quantum_fabric.documents.findings import Report, nearest
from quantum_fabric.documents.qkd_entries import AttackSpec, QkdSpec
from quantum_fabric.documents.reading import quoted
from quantum_fabric.errors import QuantityError
from quantum_fabric.links.direct_transmission import DirectTransmission
from quantum_fabric.links.weak_pulses import decoy_setting, pulse_link

PULSES_ONLY = ("photon_number_splitting", "blinding", "time_shift", "trojan_horse")
"""Attacks that want a link of weak pulses: what they act on is modelled there alone."""


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
            if held.link is not None:
                report(place, f"intercept_resend on session {attack.on!r}", f"its link: {held.link!r}")
        if attack.kind in PULSES_ONLY and "bb84" not in over.get(attack.on, []):
            report(place, f"{attack.kind} on {attack.on!r}", "a link of weak pulses")
        for other in attacks[:number]:
            same = (other.target, other.on) == (attack.target, attack.on)
            if same and attack.target != "node" and other.at < attack.until and attack.at < other.until:
                found = f"{attack.kind} while {other.kind} lasts"
                report(place, found, f"one attack at a time on a {attack.target}")
