"""Asked against delivered, one row for each request."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from quantum_fabric.messages import Status
from quantum_fabric.ops.requests import History
from quantum_fabric.units import Time, seconds, show_time


@dataclass(frozen=True, slots=True)
class Mean:
    """A sample mean with its 95 % confidence interval (equal to the mean where one sample gives none)."""

    value: float
    low: float
    high: float
    samples: int


@dataclass(frozen=True, slots=True)
class Summary:
    """One row.

    Attributes:
        name, source, destination: which request.
        asked_pairs, asked_fidelity, asked_rate, deadline: what was asked (rate in pairs/s, deadline absolute, in ps).
        delivered: pairs handed over.
        fidelity: mean true fidelity, from the twin, of the pairs that were consumed; None before the first.
        estimate: mean of the fidelities that the control plane stated; None before the first pair.
        rate: delivered pairs per second from submission to the end (or to now).
        expected_rate, expected_fidelity: the forecast of the newest plan; None without one.
        latency_p50, latency_p99: quantiles of the time since the pair before (or the submission), in ps.
        status: ``"completed"``, ``"refused"``, ..., ``"open"`` while it has no outcome or lost it to the end of the run.
        reason: in words; empty where there is nothing to say.
        offer: the counter-offer of a refusal, in words.
    """

    name: str
    source: str
    destination: str
    asked_pairs: int
    asked_fidelity: float
    asked_rate: float
    deadline: Time | None
    delivered: int
    fidelity: Mean | None
    estimate: float | None
    rate: float
    expected_rate: float | None
    expected_fidelity: float | None
    latency_p50: Time | None
    latency_p99: Time | None
    status: str
    reason: str
    offer: str


def summarise(history: History, now: Time) -> Summary:
    """Make the row of one request.

    Args:
        history: what became of it.
        now: end of the account for a request that is still open, in ps.

    Examples:
        >>> from quantum_fabric.messages import LinkRequest
        >>> row = summarise(History(LinkRequest("A", "B", 0.9, pairs=3, name="r"), submitted=0), now=10)
        >>> row.status, row.delivered, row.fidelity
        ('open', 0, None)
    """
    asked = history.request
    waits = sorted(history.waits)
    stop = now if history.ended is None or history.unfinished else history.ended
    count = len(history.pairs)
    forecast = history.plan.forecast if history.plan else None
    return Summary(
        name=asked.name,
        source=asked.source,
        destination=asked.destination,
        asked_pairs=asked.pairs,
        asked_fidelity=asked.fidelity,
        asked_rate=asked.rate,
        deadline=asked.deadline,
        delivered=count,
        fidelity=mean(history.true_fidelities),
        estimate=math.fsum(pair.fidelity for pair in history.pairs) / count if count else None,
        rate=count / seconds(stop - history.submitted) if stop > history.submitted else 0.0,
        expected_rate=forecast.rate if forecast else None,
        expected_fidelity=forecast.fidelity if forecast else None,
        latency_p50=round(quantile(waits, 0.50)) if waits else None,
        latency_p99=round(quantile(waits, 0.99)) if waits else None,
        status=_status(history),
        reason=_reason(history),
        offer=_offer(history),
    )


def pool(histories: Sequence[History], now: Time, least: int = 4) -> list[Summary]:
    """Rows for people: as `summarise`, but the requests of one stream (NAME#1, NAME#2, ...) share a row.

    Args:
        histories: in order of submission.
        now: end of the account, in ps.
        least: streams with fewer requests keep their rows.

    Examples:
        >>> from quantum_fabric.messages import LinkRequest
        >>> stream = [History(LinkRequest("A", "B", 0.9, name=f"calls#{i}"), i) for i in range(4)]
        >>> [(row.name, row.asked_pairs, row.status) for row in pool(stream, 10)]
        [('calls (4 requests)', 4, '4 open')]
    """
    streams: dict[str, list[History]] = {}
    for history in histories:
        streams.setdefault(_stream(history), []).append(history)
    rows = []
    for name, members in streams.items():
        if name and len(members) >= least:
            rows.append(_pooled(f"{name} ({len(members)} requests)", members, now))
        else:
            rows += [summarise(history, now) for history in members]
    order = {id(history): place for place, history in enumerate(histories)}
    places = [
        place
        for name, members in streams.items()
        for place in (
            [order[id(members[0])]] if name and len(members) >= least else [order[id(m)] for m in members]
        )
    ]
    return [row for _, row in sorted(zip(places, rows), key=lambda entry: entry[0])]


def _stream(history: History) -> str:
    return history.request.name.rpartition("#")[0]


def _pooled(name: str, members: Sequence[History], now: Time) -> Summary:
    rows = [summarise(history, now) for history in members]
    waits = sorted(wait for history in members for wait in history.waits)
    estimates = [pair.fidelity for history in members for pair in history.pairs]
    start = members[0].submitted
    stop = max(now if history.ended is None or history.unfinished else history.ended for history in members)
    fates: dict[str, int] = {}
    for row in rows:
        fates[row.status] = fates.get(row.status, 0) + 1
    first = rows[0]
    return Summary(
        name=name,
        source=first.source,
        destination=first.destination,
        asked_pairs=sum(row.asked_pairs for row in rows),
        asked_fidelity=max(row.asked_fidelity for row in rows),
        asked_rate=0.0,
        deadline=None,
        delivered=sum(row.delivered for row in rows),
        fidelity=mean([value for history in members for value in history.true_fidelities]),
        estimate=math.fsum(estimates) / len(estimates) if estimates else None,
        rate=len(estimates) / seconds(stop - start) if stop > start else 0.0,
        expected_rate=None,
        expected_fidelity=None,
        latency_p50=round(quantile(waits, 0.50)) if waits else None,
        latency_p99=round(quantile(waits, 0.99)) if waits else None,
        status=next(iter(fates))
        if fates.keys() == {"completed"}
        else ", ".join(f"{n} {fate}" for fate, n in fates.items()),
        reason="; ".join(sorted({row.reason for row in rows if row.reason and row.status != "completed"})),
        offer="",
    )


def show_number(value: float) -> str:
    """Three significant digits without an exponent where that stays short, for people.

    Examples:
        >>> show_number(1134.2), show_number(0.0512), show_number(2e-7), show_number(3.4e8)
        ('1,134', '0.0512', '2e-07', '3.4e+08')
    """
    return f"{value:,.0f}" if 1e3 <= value < 1e6 else f"{value:.3g}"


def show_wait(time: Time) -> str:
    """A duration with three significant digits, for people.

    Examples:
        >>> show_wait(683_400_000), show_wait(5_612_000_000)
        ('683 µs', '5.61 ms')
    """
    return show_time(time, 3).replace(" us", " µs")


def mean(values: Sequence[float]) -> Mean | None:
    """Sample mean of numbers in [0, 1] with a 95 % interval by Student's t, cut to [0, 1]; None for no values.

    Limits:
        The interval takes the samples as independent, which pairs of one run are only nearly (they share cutoffs and
        queues).

    Examples:
        >>> m = mean([0.90, 0.92, 0.94])
        >>> round(m.value, 3), round(m.low, 4), round(m.high, 4)
        (0.92, 0.8703, 0.9697)
    """
    count = len(values)
    if count == 0:
        return None
    centre = math.fsum(values) / count
    if count == 1:
        return Mean(centre, centre, centre, 1)
    variance = math.fsum((value - centre) ** 2 for value in values) / (count - 1)
    half = _student(count - 1) * math.sqrt(variance / count)
    return Mean(centre, max(0.0, centre - half), min(1.0, centre + half), count)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Quantile by linear interpolation between order statistics (Hyndman and Fan 1996, type 7).

    Args:
        ordered: at least one number, in ascending order.
        share: in [0, 1].

    Examples:
        >>> quantile([10, 20, 30, 40], 0.5)
        25.0
    """
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _student(freedom: int) -> float:
    """97.5 % quantile of Student's t: exact to 1e-3 below 10 degrees of freedom, an expansion above.

    The expansion is Abramowitz and Stegun 26.7.5, in powers of 1/freedom; from 10 degrees on its error is below 1e-4.
    """
    table = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622)
    if freedom <= len(table):
        return table[freedom - 1]
    z = 1.959963984540054
    g1 = (z**3 + z) / 4
    g2 = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    g3 = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + g1 / freedom + g2 / freedom**2 + g3 / freedom**3


def _status(history: History) -> str:
    if history.unfinished:
        return "open"
    if history.outcome is not None:
        return history.outcome.status.value
    return Status.REFUSED.value if history.refused is not None else "open"


def _reason(history: History) -> str:
    if history.refused is not None:
        return f"{history.refused.code.value}: {history.refused.reason}"
    if history.unfinished:
        return "the run ended first"
    return history.outcome.reason if history.outcome is not None else ""


def _offer(history: History) -> str:
    offer = history.refused.offer if history.refused is not None else None
    if offer is None:
        return ""
    asked = history.request
    parts = []
    if offer.fidelity != asked.fidelity:
        parts.append(f"fidelity {offer.fidelity:.4g}")
    if offer.pairs != asked.pairs:
        parts.append(f"{offer.pairs} pairs")
    if offer.rate != asked.rate:
        parts.append(f"{offer.rate:.4g} pairs/s" if offer.rate else "no least rate")
    if offer.deadline != asked.deadline:
        parts.append("no deadline" if offer.deadline is None else f"deadline {seconds(offer.deadline):.4g} s")
    return ", ".join(parts) or "the same request again"
