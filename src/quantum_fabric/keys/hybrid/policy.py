"""What is done when one of the two sources is down. By default nothing: no key at all rather than a lesser one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from quantum_fabric.errors import InputError
from quantum_fabric.keys.answers import Refusal
from quantum_fabric.keys.hybrid.kem import ParameterSet


class WhenDown(StrEnum):
    """What to do without one source."""

    REFUSE = "refuse"
    """No key."""

    OTHER_ALONE = "other-alone"
    """A key from the other source alone. It says so, and so does the audit book."""


class Sources(StrEnum):
    """What a key was made from."""

    BOTH = "both"
    KEM_ALONE = "kem-alone"
    QKD_ALONE = "qkd-alone"

    @property
    def degraded(self) -> bool:
        """Whether one source was missing."""
        return self is not Sources.BOTH


@dataclass(frozen=True, slots=True)
class HybridPolicy:
    """The rule, the same at both ends. Its text is part of every key: ends that follow different rules share nothing.

    Attributes:
        kem: which ML-KEM; there is no negotiation of a lesser one.
        when_qkd_down: what to do without QKD keys.
        when_kem_down: what to do without the other end's ML-KEM. A key from QKD alone is then not from an approved scheme in
            the sense of NIST SP 800-227, which asks for at least one approved KEM.
        qkd_bits: how many bits from QKD a key takes in, at least.
        key_bits: size of the key that comes out.

    Raises:
        InputError: sizes that are no whole octets, or below 128 bits.

    Examples:
        >>> HybridPolicy().text
        'ML-KEM-768 qkd-down=refuse kem-down=refuse qkd-bits=256 key-bits=256'
    """

    kem: ParameterSet = ParameterSet.ML_KEM_768
    when_qkd_down: WhenDown = WhenDown.REFUSE
    when_kem_down: WhenDown = WhenDown.REFUSE
    qkd_bits: int = 256
    key_bits: int = 256

    def __post_init__(self) -> None:
        for name, bits in (("qkd_bits", self.qkd_bits), ("key_bits", self.key_bits)):
            if bits % 8 or not 128 <= bits <= 8192:
                raise InputError(f"{bits} bits", "a multiple of 8 from 128 to 8192", f"hybrid policy: {name}")

    @property
    def text(self) -> str:
        """All of it in one line."""
        return (
            f"{self.kem} qkd-down={self.when_qkd_down} kem-down={self.when_kem_down} "
            f"qkd-bits={self.qkd_bits} key-bits={self.key_bits}"
        )


def choose(policy: HybridPolicy, qkd: bool, kem: bool) -> Sources | Refusal:
    """Which sources a key may be made from.

    Args:
        policy: the rule.
        qkd: whether QKD keys are there, and enough of them.
        kem: whether ML-KEM is there.

    Returns:
        The sources, or a refusal that names the one that is down.

    Examples:
        >>> choose(HybridPolicy(), qkd=True, kem=True)
        <Sources.BOTH: 'both'>
        >>> choose(HybridPolicy(), qkd=False, kem=True).message
        'no QKD key, and the policy does not allow ML-KEM alone'
        >>> choose(HybridPolicy(when_qkd_down=WhenDown.OTHER_ALONE), qkd=False, kem=True)
        <Sources.KEM_ALONE: 'kem-alone'>
    """
    if qkd and kem:
        return Sources.BOTH
    if kem and policy.when_qkd_down is WhenDown.OTHER_ALONE:
        return Sources.KEM_ALONE
    if qkd and policy.when_kem_down is WhenDown.OTHER_ALONE:
        return Sources.QKD_ALONE
    if kem:
        return Refusal(503, "no QKD key, and the policy does not allow ML-KEM alone")
    if qkd:
        return Refusal(503, "no ML-KEM, and the policy does not allow QKD alone")
    return Refusal(503, "neither a QKD key nor ML-KEM")
