"""The wiretap and the conversation, apart from keys."""

from __future__ import annotations

import numpy as np

from quantum_fabric.keys.postprocessing.messages import Kind, Message
from quantum_fabric.physics.qkd.attacks import Jamming, ManInTheMiddle, Replay
from quantum_fabric.services.qkd.wires import Wiretap

SAID = Message(Kind.SETTINGS, 16, b"\x0f\xf0").written()


def test_a_listener_changes_nothing() -> None:
    tap = Wiretap(np.random.default_rng(1))
    assert tap(0, SAID) == [SAID]


def test_one_bit_of_an_announcement_is_changed_and_nothing_else() -> None:
    tap = Wiretap(np.random.default_rng(1), ManInTheMiddle())
    (changed,) = tap(0, SAID)
    differ = int.from_bytes(changed, "big") ^ int.from_bytes(SAID, "big")
    assert differ.bit_count() == 1
    assert Message.read(changed).bits == 16
    parities = Message(Kind.PARITIES, 3, b"\x05").written()
    assert tap(0, parities) == [parities]


def test_what_was_said_in_the_block_before_is_replayed() -> None:
    tap = Wiretap(np.random.default_rng(1))
    tap(0, SAID)
    tap.attack = Replay()
    other = Message(Kind.SETTINGS, 16, b"\x00\x00").written()
    assert tap(0, other) == [other]  # nothing is recorded of an earlier block yet
    tap.next_block()
    assert tap(0, other) == [SAID]
    assert tap(1, other) == [other]


def test_lost_messages() -> None:
    tap = Wiretap(np.random.default_rng(1), Jamming("classical", 0.5))
    arrived = sum(len(tap(0, SAID)) for _ in range(4000))
    assert abs(arrived - 2000) < 5.5 * 4000**0.5 / 2
