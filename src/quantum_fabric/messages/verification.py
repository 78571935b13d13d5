"""What tests of pairs have shown: controller -> caller and watchers."""

from __future__ import annotations

from dataclasses import dataclass

from quantum_fabric.units import Time


@dataclass(frozen=True, slots=True)
class Verified:
    """What is known of the pairs that a request gets now, after another test.

    Attributes:
        request: whose pairs.
        fidelity: mean fidelity of the pairs that are delivered now, as an estimate.
        low, high: 95 % interval of it (or as the policy says), from tests and calibrations together.
        measured_low, measured_high: interval from tests alone; nothing is believed of the models in it.
        losses: by what power the believed correlators of a pair are to be taken for (estimate, low, high).
        trust: probability that the calibrations are right to their tolerance.
        tests: pairs that were read at both ends in the same basis.
        spent: pairs that were measured only for this.
        pairs: complete pairs so far, the spent ones included.
        at: when, ps.
    """

    request: str
    fidelity: float
    low: float
    high: float
    measured_low: float
    measured_high: float
    losses: tuple[float, float, float]
    trust: float
    tests: int
    spent: int
    pairs: int
    at: Time


@dataclass(frozen=True, slots=True)
class Degraded:
    """Tests say that the pairs of a request are worse than what was asked for.

    Attributes:
        request: whose pairs.
        estimate: their mean fidelity now.
        low, high: its interval.
        asked: what was asked for.
        chance: probability that the mean is below that.
        at: when, ps.
    """

    request: str
    estimate: float
    low: float
    high: float
    asked: float
    chance: float
    at: Time


@dataclass(frozen=True, slots=True)
class Doubt:
    """Tests contradict what was believed: from now on it counts for nothing in the estimates of this request.

    Attributes:
        request: whose tests.
        cause: "calibration": the models are wrong by more than their tolerance; "change": what is delivered has changed at once.
        evidence: natural logarithm of how many times likelier the tests are otherwise; for "change" the statistic of CUSUM.
        threshold: which it has reached.
        tests: so far.
        since: from when on it is otherwise, ps.
        at: when it was found, ps.
    """

    request: str
    cause: str
    evidence: float
    threshold: float
    tests: int
    since: Time
    at: Time


@dataclass(frozen=True, slots=True)
class Suspected:
    """Pairs that pass one repeater or link are worse than those that do not, beyond what is believed of both.

    Attributes:
        request: whose test settled it.
        kind: "node" for a repeater (its swaps), "link" for a link.
        name: of the repeater or the link.
        weight: probability that it is this one, if it is exactly one.
        evidence: natural logarithm of how many times likelier the tests are with it.
        tests: that it had part in.
        at: when, ps.
    """

    request: str
    kind: str
    name: str
    weight: float
    evidence: float
    tests: int
    at: Time
