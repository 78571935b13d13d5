"""The two ends: equal keys when all is well, none when anything is not."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import InputError, StateError
from quantum_fabric.keys import KeyMaterial, Origin, Refusal, verify
from quantum_fabric.keys.audit import EMPTY, Act, Head
from quantum_fabric.keys.hybrid import (
    Answer,
    Confirmation,
    HybridPolicy,
    Initiator,
    Offer,
    ParameterSet,
    QkdKey,
    Sources,
    WhenDown,
    respond,
)
from quantum_fabric.keys.hybrid.exchange import note

OPEN = HybridPolicy(when_qkd_down=WhenDown.OTHER_ALONE, when_kem_down=WhenDown.OTHER_ALONE)


def qkd(number: int = 1, octets: int = 32, salt: int = 0) -> list[QkdKey]:
    return [
        QkdKey(UUID(int=one + 1), KeyMaterial(bytes([one + 1 + salt]) * octets), Origin.QKD)
        for one in range(number)
    ]


def run(
    policy: HybridPolicy,
    hers: list[QkdKey],
    his: list[QkdKey],
    kem: bool = True,
    authentic: bool = False,
    tamper=None,
):
    """A whole exchange; the last thing that either side says."""
    alice = Initiator("alice", "bob", policy, hers, kem)
    offer = alice.offer()
    if isinstance(offer, Refusal):
        return offer
    offer = Offer.read((tamper or {}).get("offer", lambda one: one)(offer.octets))
    answered = respond(offer, "bob", "alice", policy, his, kem, authentic)
    if isinstance(answered, Refusal):
        return answered
    answer, bob = answered
    answer = Answer.read((tamper or {}).get("answer", lambda one: one)(answer.octets))
    finished = alice.finish(answer, authentic)
    if isinstance(finished, Refusal):
        return finished
    combined, confirmation = finished
    confirmation = Confirmation.read((tamper or {}).get("confirmation", lambda one: one)(confirmation.octets))
    his_end = bob.finish(confirmation)
    return his_end if isinstance(his_end, Refusal) else (combined, his_end)


@pytest.mark.parametrize("kem", list(ParameterSet))
@pytest.mark.parametrize("number", [1, 3])
def test_both_ends_have_the_same_key(kem: ParameterSet, number: int) -> None:
    hers, his = qkd(number), list(reversed(qkd(number)))
    one, other = run(HybridPolicy(kem=kem, key_bits=512), hers, his)
    assert one.key == other.key
    assert one.key.bits == 512
    assert one.transcript == other.transcript
    assert one.transcript.sources is Sources.BOTH
    assert {repr(key.material) for key in hers + his} == {"<wiped>"}, "what went in is spent"


def test_no_two_exchanges_give_the_same_key() -> None:
    made = [run(OPEN, qkd(), qkd(), kem=kem)[0] for kem in (True, False) for _ in range(20)]
    assert len({bytes(one.key.octets) for one in made}) == 40


def test_ends_with_different_bits_have_no_key() -> None:
    found = run(HybridPolicy(), qkd(), qkd(salt=1))
    assert isinstance(found, Refusal)
    assert found.message == "the other end does not have the same key"


def test_one_source_down() -> None:
    assert run(HybridPolicy(), [], []).status == 503
    assert run(HybridPolicy(), qkd(), qkd(), kem=False).status == 503
    assert run(HybridPolicy(qkd_bits=512), qkd(), qkd()).status == 503, "too few bits are none"
    one, other = run(OPEN, qkd(), qkd(), kem=False)
    assert one.key == other.key
    assert one.transcript.sources is Sources.QKD_ALONE
    one, other = run(OPEN, [], [], authentic=True)
    assert one.key == other.key
    assert one.transcript.sources is Sources.KEM_ALONE


def test_mlkem_alone_is_refused_where_nobody_vouches_for_it() -> None:
    assert run(OPEN, [], []).status == 401
    alice = Initiator("alice", "bob", OPEN, [])
    offer = alice.offer()
    assert isinstance(offer, Offer)
    answer, _ = respond(offer, "bob", "alice", OPEN, [], authentic=True)
    assert alice.finish(answer, authentic=False).status == 401, "each end checks for itself"


def test_an_offer_with_fewer_sources_than_the_policy_asks_is_refused() -> None:
    """A man in the middle who strips QKD, or ML-KEM, from the offer."""
    offer = Initiator("alice", "bob", HybridPolicy(), qkd()).offer()
    assert isinstance(offer, Offer)
    no_qkd = replace(offer, sources=Sources.KEM_ALONE, key_ids=())
    no_kem = replace(offer, sources=Sources.QKD_ALONE, public=b"")
    for stripped in (no_qkd, no_kem):
        found = respond(stripped, "bob", "alice", HybridPolicy(), qkd(), authentic=True)
        assert isinstance(found, Refusal)
    for stripped in (
        no_qkd,
        no_kem,
    ):  # where the policy allows it, the initiator still sees that it is not what it asked for
        alice = Initiator("alice", "bob", OPEN, qkd())
        real = alice.offer()
        assert isinstance(real, Offer)
        changed = replace(stripped, policy=OPEN.text, nonce=real.nonce)
        answered = respond(changed, "bob", "alice", OPEN, qkd(), authentic=True)
        assert not isinstance(answered, Refusal)
        assert isinstance(alice.finish(answered[0], authentic=True), Refusal)


def test_a_policy_that_was_weakened_on_the_way() -> None:
    found = run(
        HybridPolicy(),
        qkd(),
        qkd(),
        tamper={"offer": lambda one: one.replace(b"qkd-bits=256", b"qkd-bits=128")},
    )
    assert found.message == "the ends follow different policies"


@settings(max_examples=60, deadline=None)
@given(
    message=st.sampled_from(["offer", "answer", "confirmation"]),
    at=st.integers(0, 4000),
    flip=st.integers(1, 255),
)
def test_any_octet_that_is_changed_ends_it(message: str, at: int, flip: int) -> None:
    def change(octets: bytes) -> bytes:
        changed = bytearray(octets)
        changed[at % len(octets)] ^= flip
        return bytes(changed)

    try:
        found = run(HybridPolicy(), qkd(), qkd(), tamper={message: change})
    except (InputError, ValueError):
        return
    assert isinstance(found, Refusal)


def test_whom_it_is_from_and_for() -> None:
    offer = Initiator("alice", "bob", HybridPolicy(), qkd()).offer()
    assert isinstance(offer, Offer)
    assert respond(offer, "carol", "alice", HybridPolicy(), qkd()).status == 401
    assert respond(offer, "bob", "eve", HybridPolicy(), qkd()).status == 401
    assert respond(offer, "bob", "alice", HybridPolicy(), []).status == 400
    assert respond(offer, "bob", "alice", HybridPolicy(), qkd() + qkd()).status == 400
    assert respond(offer, "bob", "alice", HybridPolicy(), qkd(), kem=False).status == 503
    assert respond(offer, "bob", "alice", HybridPolicy(), qkd(octets=16)).status == 400


def test_each_end_is_used_once() -> None:
    alice = Initiator("alice", "bob", HybridPolicy(), qkd())
    with pytest.raises(StateError):
        alice.finish(Answer(b"", b"n" * 16, b"t" * 32))
    offer = alice.offer()
    assert isinstance(offer, Offer)
    with pytest.raises(StateError):
        alice.offer()
    answer, bob = respond(offer, "bob", "alice", HybridPolicy(), qkd())
    _, confirmation = alice.finish(answer)
    with pytest.raises(StateError):
        alice.finish(answer)
    assert not isinstance(bob.finish(confirmation), Refusal)
    with pytest.raises(StateError):
        bob.finish(confirmation)


def test_an_answer_cannot_be_sent_back() -> None:
    """Reflection: a responder's tag is no initiator's."""
    alice = Initiator("alice", "bob", HybridPolicy(), qkd())
    answer, bob = respond(alice.offer(), "bob", "alice", HybridPolicy(), qkd())
    assert isinstance(bob.finish(Confirmation(answer.tag)), Refusal)


def test_the_audit_book_says_what_a_key_was_made_from() -> None:
    both, _ = run(OPEN, qkd(2), qkd(2))
    alone, _ = run(OPEN, qkd(2), qkd(2), kem=False)
    first = note(EMPTY, 5, "alice", both, qkd(2))
    second = note(Head(first.number, first.digest), 6, "alice", alone, qkd(2))
    assert verify([first, second]).number == 2
    assert (first.act, second.act) == (Act.COMBINED, Act.DEGRADED)
    assert '"sources":"qkd-alone"' in second.facts
    assert '"qkd_origins":["qkd"]' in second.facts
    for combined in (both, alone):
        bits = bytes(combined.key.octets)
        assert bits.hex() not in first.facts + second.facts


@given(octets=st.binary(max_size=200))
def test_rubbish_is_no_message(octets: bytes) -> None:
    for kind in (Offer, Answer, Confirmation):
        with pytest.raises(InputError):
            kind.read(octets)
