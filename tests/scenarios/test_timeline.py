"""What happens when, worked out by hand to the picosecond.

All attempts succeed, so there is nothing random but the outcomes of Bell measurements. Times in the comments are microseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp
from typing import Any

import pytest

from builders import Tape, inventory, link, node, nothing_left, plan, request
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import Delivered, Order, Outcome, Status, Truth
from quantum_fabric.units import SECOND, US, Time


def timeline(tape: Tape) -> list[tuple[Time, str, str]]:
    return [
        (time // US if time % US == 0 else time / US, place, kind) for time, place, kind in tape.timeline()
    ]


def test_two_links_one_swap(planned: Callable[[Any], None]) -> None:
    """A - B - C with unequal links, arms and delays; the controller sits at B; Bell measurements take 35.

    Link A~B: an attempt every 400; A's half is born 0 and heard 300 after its start, B's 20 and 250.
    Link B~C: an attempt every 250; B's half is born 10 and heard 150 after its start, C's 0 and 200.
    Delays: A-B 310, B-C 170, A-C 470.
    """
    times = {frozenset("AB"): 310 * US, frozenset("BC"): 170 * US, frozenset("AC"): 470 * US}
    decay = 0.01  # s, T1 = T2
    network = inventory(
        dict.fromkeys("ABC", node(2, t1=decay, t2=decay, swap_time=35 * US)),
        [
            ("A", "B", link(1.0, 400 * US, born=(0, 20 * US), heard=(300 * US, 250 * US))),
            ("B", "C", link(1.0, 250 * US, born=(10 * US, 0), heard=(150 * US, 200 * US))),
        ],
        lambda a, b: times[frozenset((a, b))],
        controller="B",
    )
    planned(plan(network, "ABC"))
    fabric = Fabric(network, seed=1)
    tape = Tape(fabric)
    name = fabric.submit(request("A", "C"))
    fabric.run(SECOND // 10)

    expected = [
        # The request is made beside the controller, at B. Phase one goes out at once: 310 to A, 0 to B, 170 to C.
        (0, "controller", "LinkRequest"),
        (0, "client", "Accepted"),
        (0, "B", "Prepare"),
        (0, "controller", "Prepared"),
        (170, "C", "Prepare"),
        (310, "A", "Prepare"),
        (340, "controller", "Prepared"),  # C's: 170 + 170
        (620, "controller", "Prepared"),  # A's: 310 + 310; now all have answered: phase two
        (620, "B", "Commit"),
        (620, "B", "Arm"),
        (620, "B", "Arm"),
        (790, "C", "Commit"),  # 620 + 170
        (790, "C", "Arm"),
        (930, "A", "Commit"),  # 620 + 310
        (930, "A", "Arm"),
        # B~C: both ends must be armed when they emit: start >= max(620 - 10, 790 - 0) = 790, on the grid of 250: 1000.
        (1150, "B", "Heralded"),  # 1000 + 150
        (1200, "C", "Heralded"),  # 1000 + 200
        # A~B: start >= max(930 - 0, 620 - 20) = 930, on the grid of 400: 1200.
        (1450, "B", "Heralded"),  # 1200 + 250; B has both and swaps
        (1450, "B", "Swap"),
        (1485, "B", "Swapped"),  # 1450 + 35; both slots try again
        (1485, "B", "Arm"),
        (1485, "B", "Arm"),
        (1500, "A", "Heralded"),  # 1200 + 300: A hears of its link after B has measured it away ...
        (1655, "C", "Joined"),  # 1485 + 170: C's partner is A now, which is the source: done for C
        (1655, "C", "Consume"),
        (1655, "C", "Arm"),
        (1795, "A", "Joined"),  # 1485 + 310: ... and of the swap later still
        (1795, "A", "Consume"),
        (1795, "twin", "Truth"),
        (1795, "A", "Arm"),
        (1825, "controller", "Confirmed"),  # C's: 1655 + 170
        # B~C again: start >= max(1485 - 10, 1655 - 0) = 1655, on the grid: 1750.
        (1900, "B", "Heralded"),  # 1750 + 150
        (1950, "C", "Heralded"),  # 1750 + 200
        # A~B again: start >= max(1795 - 0, 1485 - 20) = 1795, on the grid: 2000.
        (2105, "controller", "Confirmed"),  # A's: 1795 + 310; both ends have confirmed
        (2105, "client", "Delivered"),
        (2105, "B", "Release"),
        (
            2105,
            "B",
            "Discard",
        ),  # B's slot towards A: its photon left at 2020, so A can still hear of a success
        (2105, "B", "Discard"),  # B's slot towards C held a half since 1900
        (2105, "client", "Outcome"),
        (2105, "controller", "Released"),
        (2275, "C", "Release"),  # 2105 + 170
        (2275, "C", "Discard"),
        (2300, "A", "Heralded"),  # 2000 + 300
        (2415, "A", "Release"),  # 2105 + 310
        (2415, "A", "Discard"),
        (2445, "controller", "Released"),  # C's: 2275 + 170
        (2725, "controller", "Released"),  # A's: 2415 + 310
    ]
    assert timeline(tape) == expected

    told, outcome = fabric.replies(name)[1:]
    assert isinstance(told, Delivered)
    assert isinstance(outcome, Outcome)
    assert outcome.status is Status.COMPLETED
    assert told.created_at == 1000 * US  # C's half
    assert told.delivered_at == 1795 * US
    # halves age: A's 1200 -> 1795, B's 1220 -> 1485 and 1010 -> 1485, C's 1000 -> 1655
    aged = 595 + 265 + 475 + 655
    (truth,) = [entry for _, _, entry in tape.of(Truth)]
    assert truth.weights[0] == pytest.approx((1 + 3 * exp(-aged * 1e-6 / decay)) / 4, abs=1e-12)
    # A cannot know that C has used its half already: it believes that C's half has aged until 1795
    assert told.fidelity == pytest.approx((1 + 3 * exp(-(aged + 140) * 1e-6 / decay)) / 4, abs=1e-12)
    assert nothing_left(fabric)


def test_one_link_one_purification(planned: Callable[[Any], None]) -> None:
    """A - B with two lanes that attempt together every 100; the controller sits at A; gates take 10.

    Halves are born when the attempt starts; A hears 60, B 40 after it. The delay is 70. A, at the left, initiates.
    """
    network = inventory(
        dict.fromkeys("AB", node(2, swap_time=10 * US)),
        [("A", "B", link(1.0, 100 * US, heard=(60 * US, 40 * US)))],
        70 * US,
    )
    planned(plan(network, "AB", Order.ASAP, lanes=2, rounds=1))
    fabric = Fabric(network, seed=1)
    tape = Tape(fabric)
    fabric.submit(request("A", "B"))
    fabric.run(SECOND // 10)
    expected = [
        (0, "controller", "LinkRequest"),
        (0, "client", "Accepted"),
        (0, "A", "Prepare"),
        (0, "controller", "Prepared"),
        (70, "B", "Prepare"),
        (140, "controller", "Prepared"),
        (140, "A", "Commit"),
        (140, "A", "Arm"),
        (140, "A", "Arm"),
        (210, "B", "Commit"),
        (210, "B", "Arm"),
        (210, "B", "Arm"),
        # start >= 210, on the grid: 300
        (340, "B", "Heralded"),
        (340, "B", "Heralded"),
        (360, "A", "Heralded"),
        (360, "A", "Heralded"),  # two pairs: purify
        (360, "A", "Purify"),
        (370, "A", "Purified"),  # the measured slot tries again, the other waits for the answer
        (370, "A", "Arm"),
        (440, "B", "PurifyAsk"),  # 370 + 70
        (440, "B", "Purify"),
        (450, "B", "Purified"),  # perfect pairs: success; for B the pair is ready
        (450, "B", "Arm"),
        (450, "B", "Consume"),
        (450, "B", "Arm"),
        (520, "A", "PurifyAnswer"),  # 450 + 70
        (520, "A", "Consume"),
        (520, "twin", "Truth"),
        (520, "A", "Arm"),
        (520, "controller", "Confirmed"),  # B's: 450 + 70
        (520, "controller", "Confirmed"),  # A's
        (520, "client", "Delivered"),
        (520, "A", "Release"),
        (520, "A", "Discard"),  # lane 0 began an attempt at 500: B will hear of it
        (520, "A", "Discard"),  # lane 1 would have begun at 600: nothing comes of it
        (520, "client", "Outcome"),
        (520, "controller", "Released"),
        (540, "B", "Heralded"),
        (590, "B", "Release"),
        (590, "B", "Discard"),
        (590, "B", "Discard"),
        (660, "controller", "Released"),
    ]
    assert timeline(tape) == expected
    assert nothing_left(fabric)
