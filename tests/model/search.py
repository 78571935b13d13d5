"""Searches over the interleavings of a scene: all of them, breadth first, or many of them, at random."""

from __future__ import annotations

import gc
import random
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from model.domains import world_of
from model.truth import Truth, Violation
from model.world import LEASE, Choice, Scene, State, World, inner
from quantum_fabric.messages import CONTROLLER


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        states, steps: how many were seen.
        complete: whether nothing was left to see.
        ends: states in which nothing may happen any more.
        wrong: what is wrong, and the shortest way there that the search knows; None where nothing is.
        seconds: that it took.
    """

    states: int
    steps: int
    complete: bool
    ends: int
    wrong: str | None
    seconds: float


def check(world: World, state: State) -> None:
    """What must hold in every state.

    Raises:
        Violation: what does not.
    """
    book = {
        slot: lease
        for place in world.controllers()
        for slot, lease in world.leases(place, state.seats[place]).items()
    }
    behind = max(0, world.scene.skew)
    for place, number in enumerate(state.seats):
        if place in world.controllers():
            continue
        for slot, (epoch, until) in world.leases(place, number).items():
            lent = book.get(slot)
            if until + behind > state.now and (lent is None or lent[0] != epoch or lent[1] < until):
                raise Violation(
                    f"{slot} is leased to epoch {epoch} until {until} there, and in the ledger: {lent}"
                )


def check_end(world: World, state: State) -> None:
    """What must hold when nothing is on its way and no timer is left."""
    truth = world.truths[state.truth]
    if truth.open():
        raise Violation(
            f"deadlock: {', '.join(truth.open())} without an outcome, and nothing more can happen"
        )
    for place, number in enumerate(state.seats):
        if world.leases(place, number):
            raise Violation(f"{world.names[place]} keeps leases for ever: {world.leases(place, number)}")
        segments = getattr(inner(world.shelf.take(number)), "segments", None)
        if segments is not None and segments.open:
            raise Violation(f"{world.names[place]} keeps a segment for ever: {sorted(segments.open)}")
    if truth.left():
        raise Violation(f"never emptied: {', '.join(truth.left())}")


def check_beliefs(world: World, state: State) -> None:
    """Where nothing is on its way and everybody lives, no link is taken for dark."""
    truth = world.truths[state.truth]
    if not (state.letters or truth.pending or truth.dead):
        believed = world.dark(state.seats[0]) - world.worn
        if believed - truth.dark:
            raise Violation(
                f"the controller believes that {', '.join(sorted(believed - truth.dark))} is dark"
            )
        if truth.dark - believed:
            raise Violation(f"the controller believes that light comes over {', '.join(sorted(truth.dark))}")


def check_unbroken(world: World, state: State) -> None:
    """Make before break: once all nodes of its path were ready, a request always has a path all of whose nodes are.

    That is asked where one request runs and nothing has failed: what has lost a link or a node has nothing to keep.
    """
    truth = world.truths[state.truth]
    if not truth.committed or truth.dark or truth.dead or not truth.open():
        return
    epochs = {
        name: {epoch for epoch, _ in world.leases(place, number).values()}
        for place, (name, number) in enumerate(zip(world.names, state.seats, strict=True))
        if place
    }
    if not any(set.intersection(*[epochs[name] for name in path]) for path, _ in world.scene.paths):
        raise Violation(
            f"broken before it was made: {', '.join(truth.open())} has no path whose nodes are all ready"
        )


def check_still(world: World, state: State) -> None:
    """Where nothing but timers can happen, and some request is open: do timers bring it to an end?

    Renewals go on for ever, so a request that sees six leases pass without anything that could help it is stuck.
    """
    truth = world.truths[state.truth]
    if not truth.open() or truth.can_herald() or state.letters or truth.pending or truth.dead:
        return
    until = state.now + 6 * LEASE
    state = world.apart(state)
    while state.now < until:
        truth = world.truths[state.truth]
        if not truth.open() or truth.can_herald():
            return
        if state.letters:
            choice = Choice("deliver", state.letters[0])
        elif truth.pending:
            choice = Choice("plant", next(e for e in world.enabled(state.truth) if e in truth.pending))
        elif state.timers:
            first = min(state.timers, key=lambda n: (world.timers.things[n][0], n))
            choice = Choice("timer", first)
        else:
            return
        state = world.step(state, choice)
    raise Violation(f"stuck: {', '.join(truth.open())} would wait for ever")


def explore(scene: Scene, budget: int = 1_000_000, seconds: float = 1e9) -> Found:
    """Every state that can be reached, breadth first, until the first that is wrong."""
    world = world_of(scene)
    began = time.perf_counter()
    with world.planning():
        first = world.start()
        before: dict[State, tuple[State, Choice] | None] = {first: None}
        queue = deque([first])
        steps = ends = 0
        state, choice = first, None
        try:
            while queue:
                if len(before) > budget or time.perf_counter() - began > seconds:
                    break
                state, choice = queue.popleft(), None
                check(world, state)
                if scene.unbroken:
                    check_unbroken(world, state)
                if not scene.lose or scene.reliable:
                    check_beliefs(world, state)
                choices = world.choices(state)
                if all(each.verb == "timer" for each in choices):
                    check_still(world, state)
                if not choices and not state.timers:
                    ends += 1
                    check_end(world, state)
                for choice in choices:
                    steps += 1
                    after = world.step(state, choice)
                    if after not in before:
                        before[after] = (state, choice)
                        queue.append(after)
        except Violation as wrong:
            way = [choice] if choice else []
            at: State = state
            while (step := before[at]) is not None:
                at = step[0]
                way.append(step[1])
            story = told(world, first, way[::-1])
            return Found(len(before), steps, False, ends, f"{wrong}\n{story}", time.perf_counter() - began)
    return Found(len(before), steps, not queue, ends, None, time.perf_counter() - began)


def reached(scene: Scene) -> list[Truth]:
    """What is so in any state that can be reached."""
    world = world_of(scene)
    with world.planning():
        seen = {world.start()}
        queue = deque(seen)
        while queue:
            state = queue.popleft()
            after = {world.step(state, choice) for choice in world.choices(state)} - seen
            seen |= after
            queue.extend(after)
    return world.truths


def wander(scene: Scene, seeds: Iterable[int], longest: int = 2000, progress: Any = None) -> Found:
    """Schedules drawn at random, each to its end, until the first that goes wrong. One seed is one schedule."""
    world = world_of(scene, walk=True)
    began = time.perf_counter()
    steps = ends = schedules = 0
    gc.collect()
    gc.freeze()  # what a walk leaves is let go of as it goes; there is little to look for
    with world.planning():  # the plans are equal in every world of a scene
        for seed in seeds:
            world.clear()
            way: list[Choice] = []
            try:
                ends += stroll(world, seed, longest, way)
            except Violation as wrong:
                text = f"seed {seed}: {wrong}\n{told(world, world.start(), way)}"
                return Found(schedules, steps + len(way), False, ends, text, time.perf_counter() - began)
            steps += len(way)
            schedules += 1
            if progress is not None:
                progress(schedules, steps)
    return Found(schedules, steps, True, ends, None, time.perf_counter() - began)


def stroll(world: World, seed: int, longest: int, way: list[Choice]) -> bool:
    """One schedule; `way` is filled with what happened. Returns whether it came to an end at which nothing was left.

    Raises:
        Violation: an invariant is broken.
    """
    state = world.start()
    draw = random.Random(seed)
    hurry = draw.choice((1.0, 0.3, 0.05))  # how readily time goes on before what is on its way has arrived
    while len(way) < longest:
        check(world, state)
        choices = world.choices(state)
        if not choices:
            (check_still if state.timers else check_end)(world, state)
            return not state.timers
        choice = drawn(choices, draw, hurry)
        if choice.verb == "timer" and all(each.verb == "timer" for each in choices):
            check_still(world, state)
        way.append(choice)
        state = world.step(state, choice)
    return False


def drawn(choices: list[Choice], draw: random.Random, hurry: float) -> Choice:
    """One of them: faults seldom, so that they come at all stages and not all at once."""
    fault = ("lose", "repeat", "restart", "cancel")
    while True:
        choice = choices[int(draw.random() * len(choices))]
        if choice.verb in fault or (choice.verb == "plant" and choice.what.kind == "crash"):
            if draw.random() < 0.1 or all(each.verb in fault or each.verb == "plant" for each in choices):
                return choice
        elif choice.verb == "timer":
            if draw.random() < hurry or all(
                each.verb in ("timer", *fault) or (each.verb == "plant" and each.what.kind == "crash")
                for each in choices
            ):
                return choice
        else:
            return choice


def told(world: World, state: State, way: list[Choice]) -> str:
    """The way as a sequence of messages, for people."""
    lines = []
    for number, choice in enumerate(way, 1):
        verb, what = choice
        if verb in ("deliver", "lose", "repeat"):
            letter = world.letters.things[what]
            text = f"{'' if verb == 'deliver' else verb + ': '}{letter.to} <- {short(letter.message)}"
        elif verb == "timer":
            at, seat, wake = world.timers.things[what]
            text = f"{seat} wakes: {wake.purpose} of epoch {wake.epoch} {wake.key}".rstrip()
        elif verb == "plant":
            text = f"plant: {what.kind} {', '.join(short(each) for each in what.about)}"
        else:
            text = f"{CONTROLLER}: {verb}"
        at = state.now
        with suppress(Violation):
            state = world.step(state, choice)
        lines.append(f"{number:4} {max(at, state.now) / 1e9:8.3f} ms  {text}")
    return "\n".join(lines)


def short(thing: Any) -> str:
    """A message in a few words."""
    names = ("epoch", "request", "node", "slot", "mine", "was", "far", "pair", "keep", "sacrifice", "bell", "frame", "success",
             "rounds", "why", "left", "right", "link", "up", "lease_until", "name")  # fmt: skip
    if hasattr(thing, "__dataclass_fields__"):
        shown = [f"{name}={getattr(thing, name)!r}" for name in names if name in thing.__dataclass_fields__]
        return f"{type(thing).__name__}({', '.join(shown)})"
    return str(thing)
