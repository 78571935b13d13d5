"""The two ends of one exchange. They get their QKD keys elsewhere (ETSI GS QKD 014) and send three messages.

::

    initiator: "Get key" ──▶ Offer(key IDs, public key) ──▶ responder: "Get key with key IDs", encapsulates
               checks  ◀── Answer(ciphertext, tag) ◀──  has the key, not yet confirmed
               done    ──▶ Confirmation(tag) ──▶        done

What authenticates it: the QKD keys, because nobody else has them; and the signatures of `quantum_fabric.keys.hybrid.signing`
where the messages are signed. A key from ML-KEM alone is refused without signatures: it would be agreed with anybody.

Limits:
    An adversary who knows the QKD keys *and* sits between the ends can take part in unsigned exchanges with both of them.
    Against that one the messages must be signed; ML-KEM alone only protects from those who listen.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from quantum_fabric.errors import InputError, StateError
from quantum_fabric.keys.answers import Refusal
from quantum_fabric.keys.audit import Act, Entry, Head, entry
from quantum_fabric.keys.hybrid.combiner import Combined, combine
from quantum_fabric.keys.hybrid.kem import KemKey, encapsulate
from quantum_fabric.keys.hybrid.messages import Answer, Confirmation, Offer
from quantum_fabric.keys.hybrid.policy import HybridPolicy, Sources, choose
from quantum_fabric.keys.hybrid.transcript import Transcript
from quantum_fabric.keys.material import KeyMaterial
from quantum_fabric.keys.records import Instant, Origin

UNCONFIRMED = "the other end does not have the same key"


@dataclass(frozen=True, slots=True)
class QkdKey:
    """A key that a KME delivered.

    Attributes:
        key_id: its name.
        material: its bits; wiped once they are used.
        origin: where they come from. Bits of the twin or of a test source add nothing against anybody who knows them.
    """

    key_id: UUID
    material: KeyMaterial
    origin: Origin


class Initiator:
    """The end that begins.

    Args:
        name: its own.
        peer: the other's.
        policy: the rule; the other end must have the same.
        qkd: the QKD keys it got; none where QKD is down. They are wiped when the exchange ends.
        kem: False where ML-KEM cannot be used.

    Examples:
        >>> qkd = [QkdKey(UUID(int=1), KeyMaterial(bytes(32)), Origin.TEST)]
        >>> same = [QkdKey(UUID(int=1), KeyMaterial(bytes(32)), Origin.TEST)]
        >>> alice = Initiator("alice", "bob", HybridPolicy(), qkd)
        >>> offer = alice.offer()
        >>> answer, bob = respond(offer, "bob", "alice", HybridPolicy(), same)
        >>> hers, confirmation = alice.finish(answer)
        >>> his = bob.finish(confirmation)
        >>> hers.key == his.key, hers.key, hers.transcript.sources
        (True, <256 secret bits>, <Sources.BOTH: 'both'>)
    """

    def __init__(
        self, name: str, peer: str, policy: HybridPolicy, qkd: Sequence[QkdKey], kem: bool = True
    ) -> None:
        self._name, self._peer, self._policy = name, peer, policy
        self._qkd, self._kem = list(qkd), kem
        self._key: KemKey | None = None
        self._offer: Offer | None = None
        self._done = False

    def offer(self) -> Offer | Refusal:
        """Begin.

        Returns:
            The offer; a refusal where the policy allows no key from the sources that are up.

        Raises:
            StateError: it was begun before.
        """
        if self._offer is not None or self._done:
            raise StateError("this exchange has begun; each key takes a new one")
        sources = choose(self._policy, _enough(self._policy, self._qkd), self._kem)
        if isinstance(sources, Refusal):
            return sources
        if sources is not Sources.QKD_ALONE:
            self._key = KemKey(self._policy.kem)
        ids = () if sources is Sources.KEM_ALONE else tuple(one.key_id for one in self._qkd)
        public = self._key.public if self._key is not None else b""
        self._offer = Offer(
            self._name, self._peer, self._policy.text, sources, ids, public, secrets.token_bytes(16)
        )
        return self._offer

    def finish(self, answer: Answer, authentic: bool = False) -> tuple[Combined, Confirmation] | Refusal:
        """Take the answer. The secrets that went in are wiped, whatever comes of it.

        Args:
            answer: of the responder.
            authentic: whether it came with a signature of the responder that was verified.

        Returns:
            The key and what is to be sent; a refusal where the other end has another key, or nobody vouches for it.

        Raises:
            StateError: there was no offer, or it is finished.
        """
        offer = self._offer
        if offer is None or self._done:
            raise StateError("this exchange waits for no answer")
        self._done = True
        try:
            if offer.sources is Sources.KEM_ALONE and not authentic:
                return Refusal(401, "ML-KEM alone needs messages that are signed")
            try:
                kem = self._key.open(answer.ciphertext) if self._key is not None else None
            except InputError:
                return Refusal(400, UNCONFIRMED)
            if kem is None and answer.ciphertext:
                return Refusal(400, UNCONFIRMED)
            combined = _combined(self._policy, offer, answer.ciphertext, answer.nonce, self._qkd, kem)
        finally:
            self._key = None
            for one in self._qkd:
                one.material.wipe()
        if not combined.confirms(False, answer.tag):
            combined.wipe()
            return Refusal(400, UNCONFIRMED)
        return combined, Confirmation(combined.tag(True))


class Responder:
    """The other end, which has a key and waits for its confirmation.

    Args:
        combined: the key.
    """

    def __init__(self, combined: Combined) -> None:
        self._combined: Combined | None = combined

    def finish(self, confirmation: Confirmation) -> Combined | Refusal:
        """Take the confirmation.

        Returns:
            The key; a refusal where the other end has another one. The key is wiped then.

        Raises:
            StateError: it is finished.
        """
        if self._combined is None:
            raise StateError("this exchange waits for no confirmation")
        combined, self._combined = self._combined, None
        if not combined.confirms(True, confirmation.tag):
            combined.wipe()
            return Refusal(400, UNCONFIRMED)
        return combined


def respond(
    offer: Offer,
    name: str,
    peer: str,
    policy: HybridPolicy,
    qkd: Sequence[QkdKey],
    kem: bool = True,
    authentic: bool = False,
) -> tuple[Answer, Responder] | Refusal:
    """Answer an offer.

    Args:
        offer: what came.
        name: of this end.
        peer: who the other end is, as its certificate says.
        policy: the rule of this end.
        qkd: the QKD keys that the offer names, from this end's KME; wiped where the exchange goes on.
        kem: False where ML-KEM cannot be used.
        authentic: whether the offer came with a signature of the initiator that was verified.

    Returns:
        The answer and what waits for the confirmation; a refusal where names, rule, sources or keys are not what they
        should be. Nothing is answered with fewer sources than the offer names.
    """
    if (offer.initiator, offer.responder) != (peer, name):
        return Refusal(401, "the offer is from somebody else, or for somebody else")
    if offer.policy != policy.text:
        return Refusal(400, "the ends follow different policies")
    wanted = choose(policy, offer.sources is not Sources.KEM_ALONE, offer.sources is not Sources.QKD_ALONE)
    if isinstance(wanted, Refusal):
        return wanted
    if offer.sources is Sources.KEM_ALONE and not authentic:
        return Refusal(401, "ML-KEM alone needs messages that are signed")
    if offer.sources is not Sources.QKD_ALONE and not kem:
        return Refusal(503, "no ML-KEM at this end")
    used = {one.key_id: one for one in qkd}
    if any(key_id not in used for key_id in offer.key_ids):
        return Refusal(400, "a QKD key that the offer names is not there")
    mine = [used[key_id] for key_id in offer.key_ids]
    if len(used) != len(qkd) or len(set(offer.key_ids)) != len(mine):
        return Refusal(400, "a QKD key is named twice")
    if offer.sources is not Sources.KEM_ALONE and not _enough(policy, mine):
        return Refusal(400, "too few bits from QKD")
    secret, ciphertext = None, b""
    try:
        if offer.sources is not Sources.QKD_ALONE:
            secret, ciphertext = encapsulate(policy.kem, offer.public)
        nonce = secrets.token_bytes(16)
        combined = _combined(policy, offer, ciphertext, nonce, mine, secret)
    except InputError as error:
        return Refusal(400, str(error))
    for one in mine:
        one.material.wipe()
    return Answer(ciphertext, nonce, combined.tag(False)), Responder(combined)


def note(head: Head, at: Instant, actor: str, combined: Combined, qkd: Sequence[QkdKey]) -> Entry:
    """The entry of the audit book for a key: with both sources `combined`, without one of them `degraded`.

    Args:
        head: end of the book.
        at: when.
        actor: whose key it is.
        combined: the key; nothing of its bits goes into the book.
        qkd: what went in.
    """
    transcript = combined.transcript
    facts = {
        "key": str(transcript.name),
        "peers": [transcript.initiator, transcript.responder],
        "sources": transcript.sources.value,
        "policy": transcript.policy.text,
        "qkd_keys": [str(one) for one in transcript.key_ids],
        "qkd_origins": sorted({one.origin.value for one in qkd if one.key_id in transcript.key_ids}),
    }
    return entry(head, at, Act.DEGRADED if transcript.sources.degraded else Act.COMBINED, actor, facts)


def _enough(policy: HybridPolicy, qkd: Sequence[QkdKey]) -> bool:
    return bool(qkd) and sum(one.material.bits for one in qkd) >= policy.qkd_bits


def _combined(
    policy: HybridPolicy,
    offer: Offer,
    ciphertext: bytes,
    nonce: bytes,
    qkd: Sequence[QkdKey],
    kem: KeyMaterial | None,
) -> Combined:
    used = [] if offer.sources is Sources.KEM_ALONE else [one.material for one in qkd]
    try:
        transcript = Transcript(
            offer.initiator,
            offer.responder,
            offer.key_ids,
            tuple(len(one) for one in used),
            offer.public,
            ciphertext,
            policy,
            offer.sources,
            (offer.nonce, nonce),
        )
        return combine(kem, used, transcript)
    finally:
        if kem is not None:
            kem.wipe()
