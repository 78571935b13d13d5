"""Several controllers: what they flood of their part of the network, and how one asks another for a segment of a path.

A *domain* is some nodes with one controller. What lies inside stays there: others hear of its *ports* (nodes at its border, and those
that may be asked for from outside) and of *segments* between two ports, each as a curve of rate against fidelity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from quantum_fabric.messages.installation import Calibration, Confirmed, Rule
from quantum_fabric.messages.requests import Code
from quantum_fabric.messages.states import Weights
from quantum_fabric.units import Time


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A link, or a segment, at one operating point.

    Attributes:
        setting: of the link's knob; for a segment the fidelity that is asked of it; None where there is nothing to set.
        success: probability of one attempt.
        period, cycle: between attempts of a lane, and between neighbouring lanes, ps.
        born, heard: at either end, ps after the start of the attempt.
        weights: Bell weights of a fresh pair, relative to what is announced.
    """

    setting: float | None
    success: float
    period: Time
    cycle: Time
    born: tuple[Time, Time]
    heard: tuple[Time, Time]
    weights: Weights


@dataclass(frozen=True, slots=True)
class LinkNews:
    """A link or a segment as its owner tells it.

    Attributes:
        name: of the link, or of the segment.
        a, b: its ends.
        curve: rate against fidelity, in the order of the settings; empty while it is dark.
        good_end: which end of the settings gives the better fidelity: "low" or "high".
        segment: whether it is a segment of a domain; False for light between two nodes.
    """

    name: str
    a: str
    b: str
    curve: tuple[CurvePoint, ...]
    good_end: str = "high"
    segment: bool = False


@dataclass(frozen=True, slots=True)
class NodeNews:
    """A node, or a port of a domain.

    Attributes:
        name: of the node.
        slots: memory slots that it has.
        free: memory slots that nobody has leased.
        calibration: believed noise of its memory and its gates.
        swap_time: of a Bell measurement, ps.
        relays: whether paths may pass it.
        swap_success: that a Bell measurement announces anything at all.
        attempt_dephasing: coherence that an attempt beside a half takes.
        retrieval, retrieval_lifetime: of its memory (`quantum_fabric.physics.noise.MemoryNoise`); the lifetime in s.
    """

    name: str
    slots: int
    free: int
    calibration: Calibration
    swap_time: Time
    relays: bool
    swap_success: float = 1.0
    attempt_dephasing: float = 0.0
    retrieval: float = 1.0
    retrieval_lifetime: float = math.inf


@dataclass(frozen=True, slots=True)
class LinkState:
    """What one seat tells all others of its own part of the network.

    A later ``life``, and within a life a later ``sequence``, replaces an earlier one. What is older than ``until`` counts for nothing.

    Attributes:
        origin: seat that tells.
        life: how often it has started.
        sequence: number within the life, from 1.
        until: valid until then, ps.
        nodes: its node; or the ports of its domain.
        links: links that end there; or the segments of the domain and the links that leave it.
    """

    origin: str
    life: int
    sequence: int
    until: Time
    nodes: tuple[NodeNews, ...]
    links: tuple[LinkNews, ...]


@dataclass(frozen=True, slots=True)
class SegmentAsk:
    """Ask a domain for its part of a path.

    Attributes:
        epoch: of the installation, unique over all seats: the seat's number and a count.
        head: seat that asks and will count the pairs.
        domain: seat that is asked.
        entry, exit: ports between which the segment runs; the same where only a border node is passed.
        fidelity: that its pairs must have; 0 where entry and exit are the same.
        rate: that they must have, pairs per second.
        crossings: (link, port) for each link of the path that leaves the domain, and its port here.
    """

    epoch: int
    head: str
    domain: str
    entry: str
    exit: str
    fidelity: float
    rate: float
    crossings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SegmentOffered:
    """The segment can be had; its slots are kept until ``expires``.

    Attributes:
        epoch, domain: as asked.
        point: what it will give; None where entry and exit are the same.
        retention: for how long its nodes have to remember where chains went on, ps.
        expires: ps.
    """

    epoch: int
    domain: str
    point: CurvePoint | None
    retention: Time
    expires: Time


@dataclass(frozen=True, slots=True)
class SegmentRefused:
    """The segment cannot be had; what inside the domain binds is not said."""

    epoch: int
    domain: str
    code: Code
    reason: str


@dataclass(frozen=True, slots=True)
class Duty:
    """What a port has to do beyond its own segment: try towards another domain, swap, deliver."""

    node: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class SegmentAccept:
    """Take the offered segment: prepare its nodes. The domain answers `Prepared` or `Declined` as if it were one node.

    Attributes:
        epoch, domain: as offered.
        request: name, for people.
        duties: of its ports. Slots in these rules are counted, not numbered: which they are is the domain's business.
        retention: of the whole path, ps.
        lease_until: leases end then unless they are renewed, ps.
    """

    epoch: int
    domain: str
    request: str
    duties: tuple[Duty, ...]
    retention: Time
    lease_until: Time


@dataclass(frozen=True, slots=True)
class SegmentDown:
    """A domain cannot keep up its segment any more."""

    epoch: int
    domain: str
    reason: str


@dataclass(frozen=True, slots=True)
class SegmentConfirmed:
    """What an end in another domain has confirmed, passed on to the controller that counts the pairs."""

    epoch: int
    domain: str
    confirmed: Confirmed


Domains: TypeAlias = (
    LinkState | SegmentAsk | SegmentOffered | SegmentRefused | SegmentAccept | SegmentDown | SegmentConfirmed
)
