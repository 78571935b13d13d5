"""What many replicas of a scenario gave: a row for each session of each replica, histograms, and on request every pair."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.montecarlo.scenario import Integers, Reals, Session

SESSIONS = ("replica", "session", "status", "delivered", "withheld", "ended", "first")
SUMS = ("fidelity", "fidelity_squared", "believed", "interval", "interval_squared")
DELIVERIES = ("replica", "session", "number", "bell", "known", "created", "delivered", "told")
STATES = ("believed", "fidelity", "phase_flip", "bit_flip", "both_flip")

OPEN, COMPLETED, EXPIRED, FAILED = range(4)
"""Status of a session; open where the run ended first."""

_FINE, _OCTAVE = 16, 8  # bins of one picosecond; then so many for each doubling


@dataclass(frozen=True)
class Results:
    """The outcome of some replicas.

    Attributes:
        digest: of the scenario.
        seed: of the draws.
        first, replicas: which replicas: ``first`` .. ``first + replicas - 1``.
        engine: ``"native"`` or ``"twin"``; with the structured sampler that stood in for the events, where one did.
        requests: the sessions, which the tables call by number.
        sessions: shape (replicas x sessions, 7), columns `SESSIONS`, times in ps; a time that there is not is -1.
        sums: shape (replicas x sessions, 5), columns `SUMS`: over the delivered pairs of a session, true fidelity and its square,
            believed fidelity, seconds between deliveries and their square.
        latencies, intervals: shape (sessions, 512): how many first pairs came so long after the request, and how many pairs so long
            after the one before, by bins of time (`bin_edges`).
        deliveries, states: shapes (pairs, 8) and (pairs, 5), columns `DELIVERIES` and `STATES`: believed fidelity, then true
            Bell weights; ``number`` 0 marks a pair that was withheld; nobody says when it was created. By replica, in the order in
            which pairs were told, those of one moment by session. Without rows unless they were asked for.
        counts: events of each kind, over all replicas.
        twirl_error: about how much the worst fidelity is off because relaxation is twirled in Bell-diagonal states.
        passed_over: structured samplers that did not stand in for the events, by name, and what kept each of them from it.
    """

    digest: str
    seed: int
    first: int
    replicas: int
    engine: str
    requests: tuple[Session, ...]
    sessions: Integers
    sums: Reals
    latencies: NDArray[np.uint64]
    intervals: NDArray[np.uint64]
    deliveries: Integers
    states: Reals
    counts: Mapping[str, int]
    twirl_error: float
    passed_over: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Results({self.replicas} replicas, {self.pairs} pairs, {self.engine}, scenario {self.digest[:8]})"

    @property
    def pairs(self) -> int:
        """Delivered pairs."""
        return int(self.sessions[:, 3].sum())

    def column(self, name: str, session: int = 0) -> NDArray[Any]:
        """One column of `sessions` or `sums` for one session, by replica.

        Raises:
            KeyError: no such column.
        """
        rows = self.sessions[:, 1] == session
        if name in SESSIONS:
            return np.asarray(self.sessions[rows, SESSIONS.index(name)])
        if name in SUMS:
            return np.asarray(self.sums[rows, SUMS.index(name)])
        raise KeyError(name)

    def fidelity(self, session: int = 0) -> tuple[float, float]:
        """Mean true fidelity of the delivered pairs of a session, and its standard error between replicas.

        The error is that of a ratio of sums over replicas, so pairs of one replica may depend on each other.
        """
        return ratio(self.column("fidelity", session), self.column("delivered", session))

    def rate(self, session: int = 0) -> tuple[float, float]:
        """Delivered pairs per second between the first pair and the last, and its standard error between replicas."""
        gaps = np.maximum(self.column("delivered", session) - 1, 0)
        return ratio(gaps, self.column("interval", session))

    def latency(self, session: int = 0) -> tuple[float, float]:
        """Mean time (s) from the request to its first pair where there was one, and its standard error."""
        first = self.column("first", session)
        waits = (first[first >= 0] - self.requests[session].at) * 1e-12
        if len(waits) == 0:
            return (math.nan, math.nan)
        error = waits.std(ddof=1) / math.sqrt(len(waits)) if len(waits) > 1 else math.inf
        return (float(waits.mean()), float(error))

    def quantile(self, share: float, session: int = 0) -> float:
        """Time (s) from the request within which this share of the replicas had their first pair.

        Replicas that had none by the end of the run count as later than all others; infinite where they are too many.

        Args:
            share: in (0, 1).
            session: which.
        """
        first = self.column("first", session)
        waits = np.sort(np.where(first >= 0, (first - self.requests[session].at) * 1e-12, math.inf))
        place = math.ceil(share * len(waits)) - 1
        return float(waits[max(place, 0)])


def ratio(above: NDArray[Any], below: NDArray[Any]) -> tuple[float, float]:
    """Ratio of two sums over independent replicas, and its standard error by the delta method.

    Args:
        above: shape (replicas,).
        below: shape (replicas,).

    Equation: ``r = Σa/Σb``, ``s² = n/(n-1) Σ(a - r b)² / (Σb)²``.

    Examples:
        >>> ratio(np.array([1.0, 2.0]), np.array([2.0, 4.0]))
        (0.5, 0.0)
    """
    whole = float(below.sum())
    if whole == 0.0:
        return (math.nan, math.nan)
    found = float(above.sum()) / whole
    count = len(above)
    if count < 2:
        return (found, math.inf)
    spread = float(((above - found * below) ** 2).sum()) * count / (count - 1)
    return (found, math.sqrt(spread) / whole)


def bin_edges() -> NDArray[np.float64]:
    """Lower edges (ps) of the bins of `Results.latencies` and `Results.intervals`: shape (512,).

    Examples:
        >>> bin_edges()[[0, 15, 16, 17, 24]]
        array([ 0., 15., 16., 18., 32.])
    """
    edges = [float(each) for each in range(_FINE)]
    for octave in range(4, 66):
        edges += [2.0**octave * (1.0 + step / _OCTAVE) for step in range(_OCTAVE)]
    return np.array(edges[:512])


def merged(parts: list[Results]) -> Results:
    """Results of replicas that follow on each other, as one.

    Args:
        parts: at least one, in the order of their replicas.
    """
    one = parts[0]

    def stack(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    counts = {name: sum(part.counts[name] for part in parts) for name in one.counts}
    return Results(
        one.digest, one.seed, one.first, sum(part.replicas for part in parts), one.engine, one.requests, stack("sessions"),
        stack("sums"), sum((part.latencies for part in parts[1:]), one.latencies),
        sum((part.intervals for part in parts[1:]), one.intervals), stack("deliveries"), stack("states"), counts,
        max(part.twirl_error for part in parts), one.passed_over,
    )  # fmt: skip
