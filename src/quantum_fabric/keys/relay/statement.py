"""What an owner must state about a key network, in twelve points: what the document says, what the program does, what is left to say.

The points are those of a threat model for QKD networks: assets, boundaries, adversaries, proofs, side channels, relays, identity,
bootstrap, failure, denial of service, random numbers, non-goals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from quantum_fabric.keys.relay.trust import Boundary, Need


@dataclass(frozen=True, slots=True)
class Hardware:
    """What must be right inside the devices of a kind of link, whatever happens on the fibre.

    Attributes:
        trusted: devices whose faults can give the key away.
        untrusted: devices that anybody may hold.
    """

    trusted: str
    untrusted: str


STATIONED: Final = ("mdi", "twin_field")
"""Protocols over a station that only measures."""

_ENDS: Final = "memories and readout at both ends"
_SOURCES: Final = (
    "the sources in the rooms of both ends: intensities as declared, phases random, no light let in or out"
)
_STATION: Final = "the station between them with all its detectors, the fibres"

HARDWARE: Final[Mapping[str, Hardware]] = {
    "direct_transmission": Hardware("the sender's source and the receiver's detectors", "the fibre"),
    "pair_distribution": Hardware("detectors at both ends", "the source of pairs between them, the fibre"),
    "satellite_double_downlink": Hardware("detectors at both ends", "the source on the satellite, the air"),
    "single_click": Hardware(_ENDS, "the heralding station and its detectors, the fibre"),
    "double_click": Hardware(_ENDS, "the heralding station and its detectors, the fibre"),
    "midpoint_source": Hardware(_ENDS, "the source of pairs between them, the fibre"),
    "sender_receiver": Hardware(_ENDS, "the fibre"),
    "dlcz": Hardware(_ENDS, "the heralding station and its detectors, the fibre"),
    "absorptive": Hardware(_ENDS, "the station and the sources, the fibre"),
    "serial_reflection": Hardware(_ENDS, "the detectors that herald, the fibre"),
    "mdi": Hardware(_SOURCES, _STATION),
    "twin_field": Hardware(_SOURCES, _STATION),
}
"""Architecture of a link, or protocol over a station -> what must be trusted in it.

Both ends test their pairs (BBM92) or the pulses (decoy BB84, MDI, twin field).
"""


_PROOFS: Final[Mapping[str, str]] = {
    "direct_transmission": "decoy BB84, finite key: phases random, intensities as declared, detectors equally efficient",
    "mdi": "MDI with decoys, finite key: phases random, intensities as declared, states in the declared bases; "
    "nothing about the station",
    "twin_field": "twin field, finite key: phases of the test pulses random, of the key pulses locked, intensities as declared; "
    "nothing about the station",
}


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the statement.

    Attributes:
        number: 1 to 12.
        title: what about.
        known: what follows from the document, or from how the program works.
        yours: what no program can know, to be stated by the owner.
    """

    number: int
    title: str
    known: tuple[str, ...]
    yours: tuple[str, ...] = ()


def points(boundary: Boundary, architectures: Mapping[str, int]) -> list[Point]:
    """The twelve points for one network.

    Args:
        boundary: of the network.
        architectures: how many links there are of each, and how many sessions over a station of ``mdi`` and ``twin_field``.

    Examples:
        >>> from quantum_fabric.keys.relay.trust import Site, Tie
        >>> one = points(Boundary([Site("A"), Site("B")], [Tie("A", "B", False)]), {"pair_distribution": 1})
        >>> len(one), one[0].title, one[5].known[0]
        (12, 'Assets', 'no key needs a trusted node')
    """
    seers = sorted({node for pair in boundary.pairs for node in pair.must_trust})
    relaying = (
        f"{_many(len(boundary.keys.relays), 'node')} may relay keys"
        if boundary.count(Need.RELAYED)
        else "no node relays keys"
    )
    return [
        Point(
            1,
            "Assets",
            (
                f"keys of {_many(len(boundary.pairs), 'pair')} of ends over {_ways(boundary, architectures)}: "
                "in transit, at rest, and who asks for them when",
                "the audit book, availability, and the physical parameters that the proofs rest on",
            ),
            ("for how long each key must stay secret",),
        ),
        Point(2, "Boundary of each trusted node", _boundaries(boundary), ("who can enter each site", "what leaves it in the clear")),
        Point(
            3,
            "Adversaries",
            (
                "on the quantum channels: without bound; on the classical channels: reads, changes, drops, repeats everything",
                f"compromised nodes: see point 6; {relaying}",
                "a compromised application (SAE): has the keys of its own pairs and of no others; quotas bound what it drains",
                "the operator of a simulation: knows every bit; keys of the twin are not secret, and every answer says so",
            ),
            ("which insiders are counted as adversaries",),
        ),
        Point(4, "Proof of each link", _proofs(architectures), ("the epsilon that the application needs",)),
        Point(
            5,
            "Side channels",
            tuple(
                f"{name}: must be right: {HARDWARE[name].trusted}; may be anybody's: {HARDWARE[name].untrusted}"
                for name in sorted(architectures)
                if name in HARDWARE
            ),
            ("which side channels of the devices were closed, and who tested it",),
        ),
        Point(6, "What relays see", _relays(boundary, seers), ("whether a post-quantum layer from end to end is used as well",)),
        *_practice(boundary),
    ]  # fmt: skip


def _practice(boundary: Boundary) -> list[Point]:
    """Points 7 to 12: how the program works, whatever the network."""
    return [
        Point(
            7,
            "Identity",
            ("one name in each certificate (qkd://sae/NAME, qkd://kme/NAME), SAEs and KMEs under CAs of their own",),
            ("who issues certificates, how fast they are revoked, unique names across domains",),
        ),
        Point(
            8,
            "First authentication keys",
            (
                "each QKD link and each hop is authenticated with one-time key bits; the first ones are shared beforehand",
                "a ledger counts them; a session or a hop that has none left stops",
            ),
            ("how the first bits came to both ends",),
        ),
        Point(
            9,
            "Failure",
            (
                "closed: no stock, no key (503); a relayed key is at both ends once or destroyed and reported",
                "nothing falls back to another source in silence",
            ),
            ("what the applications do without a key",),
        ),
        Point(
            10,
            "Denial of service",
            (
                "not prevented: who cuts a fibre or stops a relay stops its keys; quotas for each pair of SAEs, bounded "
                "requests, max-min shares where supply is short",
                *_single_points(boundary),
                *(
                    f"{name} alone can stop {_many(len(pairs), 'pair')} for which it measures, and reads none"
                    for name, pairs in boundary.served.items()
                ),
            ),
            ("which pairs come first",),
        ),
        Point(
            11,
            "Random numbers",
            ("keys, shares and identifiers: the operating system's; the twin's seeded streams never reach a KME in production",),
            ("the source and health tests of the QKD devices' random numbers",),
        ),
        Point(
            12,
            "Non-goals",
            ("applications that keep or reuse keys; traffic analysis; memory that the operating system copies",),
            ("what else is out of scope",),
        ),
    ]  # fmt: skip


def _boundaries(boundary: Boundary) -> tuple[str, ...]:
    trusted = sorted(name for name, site in boundary.sites.items() if site.trusted)
    refused = sorted(name for name, site in boundary.sites.items() if site.trusted is False)
    rows = [f"declared trusted: {', '.join(trusted) or 'nobody'}"]
    if refused:
        rows.append(f"declared not trusted, and never relayed through: {', '.join(refused)}")
    if boundary.undeclared:
        rows.append(f"NOT DECLARED although keys would pass: {', '.join(boundary.undeclared)}")
    for name, pairs in boundary.served.items():
        rows.append(
            f"{name} only measures for {_many(len(pairs), 'pair')}: it needs no boundary for their secrecy; the rooms of the ends do"
        )
    rows.append(
        "inside each: QKD devices, KME, KEK; keys leave to SAEs over mutual TLS and to KMEs as places or under pads"
    )
    return tuple(rows)


def _proofs(architectures: Mapping[str, int]) -> tuple[str, ...]:
    rows = []
    for name, many in sorted(architectures.items()):
        proof = _PROOFS.get(
            name, "BBM92, finite key: basis choices random, detectors equally efficient in both bases"
        )
        noun = "session" if name in STATIONED else "link"
        rows.append(f"{name} ({_many(many, noun)}): {proof}")
    return (*rows, "epsilons of all links that a relayed key crossed are added and go with it")


def _relays(boundary: Boundary, seers: list[str]) -> tuple[str, ...]:
    relayed = [pair for pair in boundary.pairs if pair.need is Need.RELAYED]
    if not relayed:
        return ("no key needs a trusted node",)
    exposed = [pair for pair in relayed if pair.must_trust]
    least = min((pair.survives for pair in relayed if not pair.must_trust), default=0)
    rows = [f"{_many(len(relayed), 'pair')} of ends need trusted nodes; each sees the share that it relays"]
    if exposed:
        rows.append(
            f"{_many(len(exposed), 'pair')} cannot do without one of {', '.join(seers)}: those read every key of theirs"
        )
    if len(exposed) < len(relayed):
        nobody = "no single node reads" if least < 2 else f"no {least} nodes together read"
        rows.append(
            f"{_many(len(relayed) - len(exposed), 'pair')} can go over paths without common nodes, so that {nobody} a key"
        )
    return tuple(rows)


def _single_points(boundary: Boundary) -> tuple[str, ...]:
    worst = max(
        (boundary.of_node(name) for name in boundary.sites), key=lambda one: len(one.certain), default=None
    )
    if worst is None or not worst.certain:
        return ()
    return (f"{worst.name} alone can stop {_many(len(worst.certain), 'pair')} of others",)


def _ways(boundary: Boundary, architectures: Mapping[str, int]) -> str:
    links = sum(many for name, many in architectures.items() if name not in STATIONED)
    stations = f" and {_many(len(boundary.served), 'station')}" if boundary.served else ""
    return f"{_many(links, 'link')}{stations}"


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
