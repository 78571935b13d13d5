"""Counters and histograms, folded from the messages: what an operator would plot."""

from __future__ import annotations

import math
import typing
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from quantum_fabric.messages import (
    Coordination,
    Delivered,
    Discard,
    Heralded,
    Installation,
    LinkChanged,
    LinkRequest,
    Message,
    NodeFailed,
    Outcome,
    PurifyAnswer,
    Refused,
    Stale,
    Substandard,
    Swapped,
)
from quantum_fabric.units import Time, seconds


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of the catalogue: a name (with its unit where it has one), what its label is, and what it counts."""

    name: str
    label: str
    doc: str


METRICS: Final = (
    Metric("requests", "", "requests that were submitted"),
    Metric("refusals", "code", "requests that were refused"),
    Metric("outcomes", "status", "requests that ended"),
    Metric("pairs_delivered", "request", "end-to-end pairs that were delivered"),
    Metric(
        "substandard",
        "request",
        "pairs that were completed but estimated below the floor, and so not delivered",
    ),
    Metric("heralds", "link", "elementary pairs that a herald announced (once for each pair)"),
    Metric("swaps", "node", "Bell measurements that announced an outcome"),
    Metric("swap_failures", "node", "Bell measurements that failed"),
    Metric(
        "purifications", "node", "purification rounds that were answered, by the node that hears the answer"
    ),
    Metric("purification_successes", "node", "those that kept the pair"),
    Metric("discards", "node", "halves that were thrown away: cutoffs, broken chains, released epochs"),
    Metric("messages", "type", "classical messages that were carried"),
    Metric("stale", "kind", "messages that came too late to be of use"),
    Metric("link_losses", "link", "times that a monitor saw the light of a link go"),
    Metric("node_failures", "node", "times that a node stopped"),
)
"""Every counter there is; documentation and report read this catalogue."""


@dataclass(slots=True)
class Histogram:
    """Counts in buckets whose bounds are powers of two of a second, so that picoseconds and hours fit in one scale.

    Examples:
        >>> histogram = Histogram()
        >>> histogram.add(0.3)
        >>> histogram.add(0.4)
        >>> dict(histogram.buckets), histogram.count
        ({-1: 2}, 2)
    """

    buckets: Counter[int] = field(default_factory=Counter)
    count: int = 0
    total: float = 0.0

    def add(self, value: float) -> None:
        """Count a duration in seconds; bucket ``k`` holds (2^(k-1), 2^k], zero goes into the bucket -40."""
        self.buckets[math.ceil(math.log2(value)) if value > 0 else -40] += 1
        self.count += 1
        self.total += value


class Metrics:
    """A watcher that counts. Subscribe it to `SEES`.

    Attributes:
        age_seconds: for each request, the age of its pairs at delivery.

    Examples:
        >>> from quantum_fabric.messages import Discard
        >>> metrics = Metrics()
        >>> metrics(10, "NU", Discard("NU", 0))
        >>> metrics.total("discards"), metrics.value("discards", "NU"), metrics.value("discards", "UIC")
        (1, 1, 0)
    """

    CARRIED: Final = (*typing.get_args(Coordination), *typing.get_args(Installation))
    SEES: Final = (
        *CARRIED, LinkRequest, Refused, Outcome, Delivered, Substandard, Heralded, Swapped, Discard, Stale, LinkChanged, NodeFailed,
    )  # fmt: skip

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {metric.name: Counter() for metric in METRICS}
        self._heard_once: set[str] = set()
        self._dark: set[str] = set()
        self.age_seconds: dict[str, Histogram] = {}
        self._counters: dict[type, Callable[[str, Any], None]] = {
            **dict.fromkeys(self.CARRIED, self._carried),
            PurifyAnswer: self._answer,
            Heralded: self._herald,
            Swapped: self._swap,
            Discard: lambda _, message: self._add("discards", message.node),
            Delivered: self._deliver,
            Substandard: lambda _, message: self._add("substandard", message.request),
            Stale: lambda _, message: self._add("stale", message.kind),
            LinkRequest: lambda *_: self._add("requests", ""),
            Refused: lambda _, message: self._add("refusals", message.code.value),
            Outcome: lambda _, message: self._add("outcomes", message.status.value),
            LinkChanged: self._light,
            NodeFailed: lambda _, message: self._add("node_failures", message.node),
        }

    def __call__(self, time: Time, place: str, message: Message) -> None:  # noqa: ARG002 (the port)
        """Count one message; one that no counter wants is passed over."""
        counter = self._counters.get(type(message))
        if counter is not None:
            counter(place, message)

    def _add(self, name: str, label: str) -> None:
        self._counts[name][label] += 1

    def _carried(self, _: str, message: Message) -> None:
        self._counts["messages"][type(message).__name__] += 1

    def _answer(self, place: str, message: PurifyAnswer) -> None:
        self._carried(place, message)
        self._counts["purifications"][place] += 1
        if message.success:
            self._counts["purification_successes"][place] += 1

    def _herald(self, _: str, message: Heralded) -> None:
        """Both ends hear of a pair; count it when the first does."""
        if message.pair in self._heard_once:
            self._heard_once.discard(message.pair)
        else:
            self._heard_once.add(message.pair)
            self._add("heralds", message.link)

    def _swap(self, _: str, message: Swapped) -> None:
        self._add("swaps" if message.outcome is not None else "swap_failures", message.node)

    def _deliver(self, _: str, message: Delivered) -> None:
        self._add("pairs_delivered", message.request)
        ages = self.age_seconds.setdefault(message.request, Histogram())
        ages.add(seconds(message.delivered_at - message.created_at))

    def _light(self, _: str, message: LinkChanged) -> None:
        """Both monitors see a cut, and so may whoever scripted it; count a change of state."""
        if message.up:
            self._dark.discard(message.link)
        elif message.link not in self._dark:
            self._dark.add(message.link)
            self._add("link_losses", message.link)

    def value(self, name: str, label: str) -> int:
        """One counter at one label; 0 where nothing was counted."""
        return self._counts[name][label]

    def labels(self, name: str) -> Mapping[str, int]:
        """All labels of one counter."""
        return self._counts[name]

    def total(self, name: str) -> int:
        """One counter over all its labels."""
        return self._counts[name].total()

    def rows(self) -> Iterator[tuple[str, str, int]]:
        """Every (name, label, value), in the order of the catalogue, labels sorted."""
        for name, counts in self._counts.items():
            for label in sorted(counts):
                yield name, label, counts[label]
