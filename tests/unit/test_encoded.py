"""Encoded links as an application sees them."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest

from quantum_fabric.api import Line, request_link
from quantum_fabric.encoded import EncodedLink
from quantum_fabric.errors import InputError, QuantityError, StateError, UnknownNameError
from quantum_fabric.messages import Code, Refused, Status


def coded(**more: Any) -> EncodedLink | Refused:
    wanted = {
        "distance": 40,
        "fidelity": 0.9,
        "error_correction": "phase-repetition-3",
        "memories": 24,
        **more,
    }
    found = request_link("Bob", **wanted)
    assert isinstance(found, EncodedLink | Refused)
    return found


def opened(**more: Any) -> EncodedLink:
    found = coded(**more)
    assert isinstance(found, EncodedLink)
    return found


@pytest.fixture(scope="module")
def planned() -> EncodedLink:
    """A link that was planned once, never run: the tests open others with its plan."""
    return opened(pairs=5)


def again(planned: EncodedLink, pairs: int, seed: int = 0) -> EncodedLink:
    return EncodedLink(planned._topology, replace(planned.request, pairs=pairs), planned.plan, seed)


def test_a_link_hands_out_its_logical_pairs_and_stops(planned: EncodedLink) -> None:
    with again(planned, 3) as link:
        pairs = list(link)
    assert [pair.number for pair in pairs] == [1, 2, 3]
    assert link.outcome is not None
    assert link.outcome.status is Status.COMPLETED
    for pair in pairs:
        assert pair.ends == ("Alice", "Bob")
        low, high = pair.interval
        assert 0.9 <= low <= pair.fidelity <= high
        assert 0 <= pair.created_at < pair.delivered_at
        assert set(pair.measure("Z")) <= {0, 1}
        with pytest.raises(StateError, match="used already"):
            pair.measure("X")


def test_the_same_seed_is_the_same_run(planned: EncodedLink) -> None:
    runs = [
        [(p.bell, p.error, p.delivered_at, p.measure("X")) for p in again(planned, 5, seed)]
        for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_no_pair_is_there_before_light_has_crossed(planned: EncodedLink) -> None:
    pair = next(again(planned, 1))
    across = Line(40e3, "future", "Alice", "Bob").topology(1).delay("Alice", "Bob")
    assert pair.delivered_at - pair.created_at >= across


def test_a_closed_link_gives_nothing_more(planned: EncodedLink) -> None:
    link = again(planned, 2)
    next(link)
    link.close()
    with pytest.raises(StateError, match="closed"):
        next(link)
    assert link.outcome is not None
    assert link.outcome.status is Status.CANCELLED


def test_pauli_y_is_not_transversal_here(planned: EncodedLink) -> None:
    with pytest.raises(QuantityError, match="'X' or 'Z'"):
        next(again(planned, 1)).measure("Y")


@pytest.mark.parametrize("change", [{"fidelity": 0.9999}, {"rate": 1e7}])
def test_a_refusal_has_a_reason_and_an_offer_that_is_accepted(change: dict[str, float]) -> None:
    found = coded(**change)
    assert isinstance(found, Refused)
    assert found.reason
    offer = found.offer
    assert offer is not None
    assert isinstance(coded(fidelity=offer.fidelity, rate=offer.rate), EncodedLink)


def test_too_few_memories_are_named() -> None:
    found = coded(memories=4, distance=40, error_correction="steane")
    assert isinstance(found, Refused)
    assert found.code is Code.UNSUPP
    assert "29 memory slots" in found.reason
    assert found.offer is None


def test_on_a_network() -> None:
    found = request_link("Bob", fidelity=0.6, network="lab", error_correction="bare")
    assert isinstance(found, EncodedLink | Refused)
    with pytest.raises(InputError, match="memories"):
        request_link("Bob", fidelity=0.6, network="lab", error_correction="bare", memories=3)
    with pytest.raises(UnknownNameError, match="destination"):
        request_link("Zoe", fidelity=0.6, network="lab", error_correction="bare")


def test_an_unknown_code_names_the_known_ones() -> None:
    with pytest.raises(
        UnknownNameError, match=r"error_correction: found 'turbo', expected one of bare, .*steane"
    ):
        coded(error_correction="turbo")


def test_without_stim_the_command_to_get_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stim", None)
    with pytest.raises(InputError, match=r"pip install 'quantum-fabric\[codes\]'"):
        coded()
