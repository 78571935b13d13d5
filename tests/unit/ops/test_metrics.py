"""What is counted, once."""

from __future__ import annotations

from quantum_fabric.messages import Message
from quantum_fabric.ops.metrics import METRICS, Histogram, Metrics

Stream = list[tuple[int, str, Message]]


def test_the_stream_of_one_run(stream: Stream) -> None:
    metrics = Metrics()
    for item in stream:
        metrics(*item)
    assert metrics.labels("heralds") == {"A~R": 3, "R~B": 2}  # a pair that both ends hear of counts once
    totals = {metric.name: metrics.total(metric.name) for metric in METRICS}
    assert totals == {
        "requests": 2,
        "refusals": 1,
        "outcomes": 2,
        "pairs_delivered": 2,
        "substandard": 1,
        "heralds": 5,
        "swaps": 2,
        "swap_failures": 1,
        "purifications": 2,
        "purification_successes": 1,
        "discards": 1,
        "messages": 3 + 3 + 2 + 2,  # prepare, commit, joined, answers
        "stale": 1,
        "link_losses": 1,  # both monitors saw it
        "node_failures": 1,
    }
    assert metrics.value("messages", "Joined") == 2
    assert metrics.value("stale", "Joined") == 1
    assert metrics.age_seconds["video"].count == 2
    assert abs(metrics.age_seconds["video"].total - 0.044) < 1e-12
    assert ("outcomes", "expired", 1) in list(metrics.rows())


def test_a_second_cut_of_the_same_link_counts_again(stream: Stream) -> None:
    metrics = Metrics()
    for item in [*stream, *stream]:
        metrics(*item)
    assert metrics.total("link_losses") == 2


def test_every_metric_is_described() -> None:
    assert all(metric.doc and metric.name.islower() for metric in METRICS)
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_buckets_are_powers_of_two_of_a_second() -> None:
    histogram = Histogram()
    for value in (0.0, 1.0, 1.1, 2.0, 1e-12):
        histogram.add(value)
    assert histogram.buckets == {-40: 1, 0: 1, 1: 2, -39: 1}
    assert histogram.total == 4.1 + 1e-12


def test_rows_hold_every_count_in_the_order_of_the_catalogue(stream: Stream) -> None:
    metrics = Metrics()
    for item in stream:
        metrics(*item)
    rows = list(metrics.rows())
    names = [metric.name for metric in METRICS]
    assert [name for name, _, _ in rows] == sorted((name for name, _, _ in rows), key=names.index)
    for metric in METRICS:
        assert sum(value for name, _, value in rows if name == metric.name) == metrics.total(metric.name)
        shown = {label: value for name, label, value in rows if name == metric.name}
        assert shown == metrics.labels(metric.name)


def test_what_no_counter_wants_is_passed_over() -> None:
    from quantum_fabric.messages import Wake

    metrics = Metrics()
    metrics(1, "A", Wake(2, "x", 3))
    assert not list(metrics.rows())


def test_it_sees_only_what_it_counts(stream: Stream) -> None:
    """Leaving out what is not in SEES changes nothing, so subscribing to SEES is enough."""
    everything, subscribed = Metrics(), Metrics()
    for item in stream:
        everything(*item)
        if type(item[2]) in Metrics.SEES:
            subscribed(*item)
    assert list(everything.rows()) == list(subscribed.rows())
