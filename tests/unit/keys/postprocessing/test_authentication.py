"""Seals and the budget behind them: forgery, change, loss, repetition, another order, shortage, books."""

from __future__ import annotations

import copy
import logging
import pickle

import numpy as np
import pytest

from quantum_fabric.errors import ProtocolError, QuantityError, StateError
from quantum_fabric.keys.postprocessing.authentication import (
    Authenticator,
    Budget,
    ForgeryError,
    KeyShortageError,
)
from quantum_fabric.keys.postprocessing.polynomial import collision_bound, polynomial_hash
from quantum_fabric.keys.postprocessing.secret import SecretBits


def pair(bits: int = 2048, session: bytes = b"s") -> tuple[Authenticator, Authenticator, Budget, Budget]:
    shared = SecretBits(np.random.default_rng(1).bytes(bits // 8), bits)
    one, two = Budget(shared), Budget(shared)
    return Authenticator(one, 0, session), Authenticator(two, 1, session), one, two


def test_honest_ends_agree_and_spend_alike() -> None:
    alice, bob, one, two = pair()
    for text in (b"a", b"b" * 1000, b""):
        alice.said(text)
        bob.heard(text)
        bob.said(text + b"!")
        alice.heard(text + b"!")
        bob.check(alice.seal())
        alice.check(bob.seal())
        assert alice.sealed
        assert bob.sealed
    assert one.entries == two.entries
    assert one.spent == 128 + 6 * 128
    assert one.balance == 2048 - one.spent
    assert 0.0 < alice.failure == bob.failure < 1e-27


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        ([b"one", b"twp"], "changed"), ([b"one"], "lost"), ([b"two", b"one"], "another order"),
        ([b"one", b"two", b"two"], "repeated"), ([b"onetwo"], "joined"), ([], "nothing"),
        ([b"one", b"two", b""], "an empty one more"),
    ],
)  # fmt: skip
def test_what_was_heard_otherwise_is_refused(heard: list[bytes], why: str) -> None:
    alice, bob, _, _ = pair()
    alice.said(b"one")
    alice.said(b"two")
    for text in heard:
        bob.heard(text)
    with pytest.raises(ForgeryError):
        bob.check(alice.seal())
    assert not bob.sealed
    with pytest.raises(ForgeryError):
        bob.seal()


def test_seal_of_before_is_refused() -> None:
    alice, bob, _, _ = pair()
    alice.said(b"x")
    bob.heard(b"x")
    old = alice.seal()
    bob.check(old)
    bob.heard(b"x")
    with pytest.raises(ForgeryError):
        bob.check(old)


def test_own_words_sent_back_are_refused() -> None:
    alice, bob, _, _ = pair()
    alice.said(b"x")
    seal = alice.seal()
    bob.heard(b"x")
    bob.check(seal)
    alice.heard(b"x")
    with pytest.raises(ForgeryError):
        alice.check(seal)


def test_seal_of_another_session_is_refused() -> None:
    alice, _, _, _ = pair(session=b"s1")
    _, bob, _, _ = pair(session=b"s2")
    alice.said(b"x")
    bob.heard(b"x")
    with pytest.raises(ForgeryError):
        bob.check(alice.seal())


def test_every_flipped_bit_of_a_seal_is_refused() -> None:
    for bit in range(128):
        alice, bob, _, _ = pair(512)
        alice.said(b"x")
        bob.heard(b"x")
        seal = (int.from_bytes(alice.seal(), "little") ^ 1 << bit).to_bytes(16, "little")
        with pytest.raises(ForgeryError):
            bob.check(seal)


def test_hash_difference_is_as_rare_as_stated() -> None:
    """No difference of two short texts comes twice among 3000 points: expected number of pairs below 1e-20."""
    rng = np.random.default_rng(4)
    points = [rng.bytes(16) for _ in range(3000)]
    found = {(polynomial_hash(r, b"abc") - polynomial_hash(r, b"abd")) % 2**128 for r in points}
    assert len(found) == 3000
    assert collision_bound(3) < 1e-30


def test_shortage_takes_nothing_and_reserve_ends_in_order() -> None:
    budget = Budget(SecretBits(bytes(32), 256), reserve=128)
    budget.take(128, "a")
    with pytest.raises(KeyShortageError):
        budget.take(1, "b")
    assert budget.balance == 128
    budget.take(128, "c", last=True)
    with pytest.raises(KeyShortageError):
        budget.take(1, "d", last=True)
    assert [entry.balance for entry in budget.entries] == [256, 128, 0]
    with pytest.raises(QuantityError):
        Budget(SecretBits(b"", 0), reserve=-1)
    with pytest.raises(KeyShortageError):
        Authenticator(Budget(SecretBits(b"", 0)), 0, b"")


def test_bits_are_taken_once_and_in_order() -> None:
    rng = np.random.default_rng(5)
    data = rng.integers(0, 2, 1001, dtype=np.uint8)
    budget = Budget(SecretBits.of(data[:500]))
    first = SecretBits(budget.take(77, "a"), 77).array()
    budget.replenish(SecretBits.of(data[500:]))
    second = SecretBits(budget.take(924, "b"), 924).array()
    assert (np.concatenate([first, second]) == data).all()
    assert budget.balance == 0


def test_renewed_hash_key() -> None:
    alice, bob, one, _ = pair()
    alice.said(b"x")
    bob.heard(b"x")
    with pytest.raises(ProtocolError):
        alice.renew()
    bob.check(alice.seal())
    alice.renew()
    bob.renew()
    alice.said(b"y")
    bob.heard(b"y")
    bob.check(alice.seal())
    assert one.spent == 4 * 128


def test_secret_bits_do_not_show(caplog: pytest.LogCaptureFixture) -> None:
    key = SecretBits.of([1, 0, 1, 1, 0, 1, 1, 1, 1])
    shown = f"{key} {key!r} {[key]} {Budget(key)}"
    assert "183" not in shown
    assert "b7" not in shown
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("x").warning("%s", key)
    assert caplog.messages == ["<9 secret bits>"]
    with pytest.raises(StateError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        hash(key)
    twin = copy.deepcopy(key)
    key.wipe()
    assert len(key) == 0
    assert len(twin) == 9
    assert key != twin
    assert key != "key"
    for wrong in ([2], [[1]]):
        with pytest.raises(QuantityError):
            SecretBits.of(wrong)
    with pytest.raises(QuantityError):
        SecretBits(b"", 1)
    with pytest.raises(QuantityError):
        twin.part(3, 10)
