"""Secrets are compared by `hmac.compare_digest`, which takes as long for a near miss as for any other: its time tells nothing.

No test can time that. This one sees that each comparison goes through it: with a comparison that says no to everything, equal
things are not taken for equal any more.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from uuid import UUID

import pytest

import keydesk
from keyrelay import stream
from quantum_fabric.keys import KeyMaterial, SealError
from quantum_fabric.keys.postprocessing.authentication import Authenticator, Budget, ForgeryError
from quantum_fabric.keys.postprocessing.secret import SecretBits
from quantum_fabric.keys.relay.line import Line
from quantum_fabric.keys.relay.messages import Outcome, Receipt
from quantum_fabric.keys.relay.pads import MemoryPads


def key_material() -> bool:
    return KeyMaterial(b"abc") == KeyMaterial(b"abc")


def secret_bits() -> bool:
    return SecretBits(b"abc", 24) == SecretBits(b"abc", 24)


def seal_of_a_session() -> bool:
    shared = SecretBits(bytes(range(96)), 768)
    alice, bob = Authenticator(Budget(shared), 0, b"s"), Authenticator(Budget(shared), 1, b"s")
    alice.said(b"hello")
    bob.heard(b"hello")
    try:
        bob.check(alice.seal())
    except ForgeryError:
        return False
    return True


def tag_of_a_relay() -> bool:
    a, b = MemoryPads("A"), MemoryPads("B")
    for store in (a, b):
        store.add("A", "B", UUID(int=1), stream("AB", 256))
        store.add("B", "A", UUID(int=1), stream("BA", 256))
    (envelope,) = Line("A", "B", a).send(Receipt(UUID(int=1), 0, ("A", "B"), Outcome.ARRIVED, "B"), 0)
    return Line("B", "A", b).take(envelope)[0] is not None


def identifier_of_a_sealed_key() -> bool:
    ring = keydesk.ring()
    sealed = ring.seal(UUID(int=7), KeyMaterial(b"abcdefgh"))
    try:
        ring.open(UUID(int=7), sealed)
    except SealError:
        return False
    return True


COMPARISONS = [key_material, secret_bits, seal_of_a_session, tag_of_a_relay, identifier_of_a_sealed_key]


@pytest.mark.parametrize("equal", COMPARISONS, ids=lambda one: one.__name__)
def test_the_comparison_of_a_secret_is_the_one_in_constant_time(
    equal: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert equal()
    monkeypatch.setattr(hmac, "compare_digest", lambda *_: False)
    assert not equal()
