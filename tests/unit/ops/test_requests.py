"""Requests, answers, deliveries and truths find each other, in whatever order they come."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantum_fabric.messages import Delivered, Message, Truth
from quantum_fabric.ops.requests import Histories, pair_key
from quantum_fabric.units import MS

Stream = list[tuple[int, str, Message]]


def fold(stream: Stream) -> Histories:
    histories = Histories()
    for item in stream:
        histories(*item)
    return histories


def test_the_stream_of_one_run(stream: Stream) -> None:
    histories = fold(stream)
    assert [history.request.name for history in histories] == ["video", "greedy"]
    video = histories["video"]
    assert video.submitted == 100 * MS
    assert video.plan is not None
    assert (video.plans, video.queued, video.ended) == (1, False, 200 * MS)
    assert [pair.number for pair in video.pairs] == [1, 2]
    assert video.true_fidelities == [0.9, 0.9]
    assert video.waits == [42 * MS, 40 * MS]
    greedy = histories["greedy"]
    assert greedy.refused is not None
    assert greedy.outcome is not None
    assert "video" in histories
    assert "nobody" not in histories
    assert len(histories) == 2


def test_truth_may_come_after_the_delivery_or_never(stream: Stream) -> None:
    truths = [item for item in stream if isinstance(item[2], Truth)]
    rest = [item for item in stream if not isinstance(item[2], Truth)]
    late = fold([*rest, truths[1]])["video"]
    assert late.truths[0] is None
    assert late.truths[1] is truths[1][2]
    assert late.true_fidelities == [0.9]


def test_ends_match_in_either_order(stream: Stream) -> None:
    pair = next(item[2] for item in stream if isinstance(item[2], Delivered))
    truth = next(item[2] for item in stream if isinstance(item[2], Truth))
    assert truth.ends[0][0] == "B"  # the other way round than the delivery
    assert frozenset(truth.ends) == pair_key(pair)


def test_waits_are_in_order_of_delivery_even_if_the_news_are_not(stream: Stream) -> None:
    deliveries = [item for item in stream if isinstance(item[2], Delivered)]
    rest = [item for item in stream if not isinstance(item[2], Delivered)]
    assert fold([*rest, *reversed(deliveries)])["video"].waits == [42 * MS, 40 * MS]


def test_answers_to_unknown_requests_are_left_alone(stream: Stream) -> None:
    assert len(fold([item for item in stream if type(item[2]).__name__ != "LinkRequest"])) == 0


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.randoms(use_true_random=False))
def test_truths_find_their_pairs_in_any_order(stream: Stream, shuffle: random.Random) -> None:
    news = [item for item in stream if isinstance(item[2], Delivered | Truth)]
    rest = [item for item in stream if not isinstance(item[2], Delivered | Truth)]
    shuffle.shuffle(news)
    video = fold([*rest, *news])["video"]
    assert len(video.pairs) == 2
    for pair, truth in zip(video.pairs, video.truths, strict=True):
        assert truth is not None
        assert frozenset(truth.ends) == pair_key(pair)
