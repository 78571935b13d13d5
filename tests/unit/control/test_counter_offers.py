"""What a refusal offers is accepted when it is asked for on the unchanged network: random networks, loads, and requests."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantum_fabric.control.controller import Controller
from quantum_fabric.messages import (
    Accepted,
    Ask,
    DryRun,
    LinkRequest,
    Offered,
    Promise,
    Refused,
    Route,
    Send,
    Survival,
)
from quantum_fabric.units import MS, SECOND
from unit.network.believed import random_network


def answer(made: Controller, message: Any, now: int = 0) -> Any:
    return next(
        each.message for each in made.handle(message, now) if isinstance(each, Send) and each.to == "client"
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[int, int, LinkRequest]:
    """Seed of a network, how many requests are there already, and one more."""
    seed = draw(st.integers(0, 40))
    topology = random_network(seed, most=4, slots=4)
    names = sorted(topology.nodes)
    source, destination = draw(st.permutations(names))[:2]
    others = [name for name in (*names, *sorted(topology.links)) if name not in (source, destination)]
    avoid = tuple(draw(st.lists(st.sampled_from(others), unique=True, max_size=3)))
    inner = [name for name in names if name not in (source, destination, *avoid)]
    trusted = draw(st.none() | st.lists(st.sampled_from(inner), unique=True, max_size=2)) if inner else None
    load = draw(st.integers(0, 3))
    disjoint = tuple(f"load-{n}" for n in range(load)) if load and draw(st.booleans()) else ()
    pairs = draw(st.sampled_from([1, 2, 20]))
    hold = draw(st.booleans())
    together = hold and draw(st.booleans())
    return seed, load, LinkRequest(
        source, destination, round(draw(st.floats(0.55, 0.99)), 3), pairs, draw(st.sampled_from([0.0, 0.0, 5.0, 500.0])),
        draw(st.sampled_from([None, None, 20 * MS, SECOND])), hold, "asked",
        confidence=draw(st.sampled_from([0.5, 0.95, 0.99, 0.9999])),
        jitter=draw(st.sampled_from([None, None, MS, SECOND])),
        window=draw(st.sampled_from([None, 20 * MS, SECOND])) if together else None,
        promise=draw(st.sampled_from(list(Promise))) if together else Promise.DELIVERY,
        priority=draw(st.sampled_from([0, 0, 0, 1])),
        survives=draw(st.sampled_from([Survival.NOTHING, Survival.NOTHING, Survival.LINK])),
        route=Route(avoid, None if trusted is None else tuple(trusted), disjoint),
    )  # fmt: skip


def loaded(seed: int, load: int) -> Controller:
    """A controller that serves some requests already (those that it accepts)."""
    topology = random_network(seed, most=4, slots=4)
    made, rnd = Controller(topology), random.Random(seed)
    for number in range(load):
        source, destination = rnd.sample(sorted(topology.nodes), 2)
        made.handle(LinkRequest(source, destination, 0.6, pairs=50, name=f"load-{number}"), 0)
    return made


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(worlds())
def test_what_a_refusal_offers_is_accepted(world: tuple[int, int, LinkRequest]) -> None:
    seed, load, wish = world
    made = loaded(seed, load)
    said = answer(made, DryRun(wish)).answer
    first = answer(made, wish)
    assert first == said
    if isinstance(first, Refused):
        assert first.reason
        assert first.resource
        if first.offer is not None:
            again = answer(made, replace(first.offer, name="again"))
            assert isinstance(again, Accepted), (first, again)
    else:
        assert isinstance(first, Accepted)


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(worlds())
def test_what_an_offer_is_refused_with_can_be_had_as_an_offer_too(
    world: tuple[int, int, LinkRequest],
) -> None:
    seed, load, wish = world
    made = loaded(seed, load)
    first = answer(made, Ask(wish))
    assert isinstance(first, Offered | Refused)
    if isinstance(first, Refused) and first.offer is not None:
        again = answer(made, Ask(replace(first.offer, name="again")))
        # its slots may be taken: then it could wait for them, but not be kept
        assert isinstance(again, Offered) or again.code.name == "NORES", (first, again)


@pytest.mark.parametrize("seed", range(3))
def test_the_plain_case_is_met(seed: int) -> None:
    """The strategy above reaches what it is about: refusals with offers of each kind."""
    made = loaded(seed, 0)
    names = sorted(made.topology.nodes)
    kinds = set()
    for fidelity in (0.6, 0.97, 0.9999):
        for deadline in (None, MS):
            said = answer(
                made, DryRun(LinkRequest(names[0], names[-1], fidelity, 5, deadline=deadline, name="q"))
            ).answer
            kinds.add(said.code.name if isinstance(said, Refused) else "accepted")
    assert {"accepted", "UNSUPP", "NOTIME"} <= kinds
