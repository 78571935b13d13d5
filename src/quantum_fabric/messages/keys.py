"""What a service that makes keys tells those who watch: each block, each alarm. No key bit is in them."""

from __future__ import annotations

from dataclasses import dataclass

from quantum_fabric.units import Time


@dataclass(frozen=True, slots=True)
class KeyBlock:
    """One block of a QKD session has ended, with a key or without.

    Attributes:
        session: name of the session.
        number: of the block, from 0.
        source, destination: the two ends.
        protocol: ``bb84``, ``bbm92``, ``six_state`` or ``e91``.
        started, ended: of its photons, ps; the message itself comes when the classical work is done.
        detections: that the ends noted down.
        sifted: bits of the key basis.
        error_rate: of the test basis.
        length: bits of key that both ends hold; 0 where there is none.
        told: bits about the key that were announced: error correction and verification.
        epsilon: composable failure probability of the block; 1 where there is no key.
        authentication: bits of authentication key that are left at each end.
        reason: why there is no key; empty where there is one.
    """

    session: str
    number: int
    source: str
    destination: str
    protocol: str
    started: Time
    ended: Time
    detections: int
    sifted: int
    error_rate: float
    length: int
    told: int
    epsilon: float
    authentication: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KeyAlarm:
    """A statistic of a QKD session is where no honest link would bring it; the block gives no key.

    Attributes:
        session: name of the session.
        block: number of the block.
        alarm: what was noticed (``error rate``, ``decoy yields``, ``authentication``, ...).
        found: value of the statistic.
        low, high: between which values it was expected.
        samples: counts behind it.
        chance: bound on the chance of such a value on a link that is as declared.
        evidence: in words.
    """

    session: str
    block: int
    alarm: str
    found: float
    low: float
    high: float
    samples: int
    chance: float
    evidence: str
