"""Keys from two sources at once: ML-KEM and QKD, combined so that whoever breaks one of them has nothing. No I/O.

framing      octet strings that have one reading only
kem          ML-KEM-768 and ML-KEM-1024 (FIPS 203)
policy       what is done when one source is down; nothing by default
transcript   all that both ends must agree on, bound into every key
combiner     SP 800-56C two-step derivation over both secrets and the transcript
messages     what goes over: offer, answer, confirmation
exchange     the two ends
signing      ML-DSA signatures of the control plane, where a certificate says so
"""

from quantum_fabric.keys.hybrid.combiner import Combined, combine
from quantum_fabric.keys.hybrid.exchange import Initiator, QkdKey, Responder, respond
from quantum_fabric.keys.hybrid.kem import KemKey, ParameterSet, encapsulate
from quantum_fabric.keys.hybrid.messages import Answer, Confirmation, Offer
from quantum_fabric.keys.hybrid.policy import HybridPolicy, Sources, WhenDown, choose
from quantum_fabric.keys.hybrid.signing import (
    Algorithm,
    Certified,
    Signed,
    Signer,
    certified,
    required,
    verify,
)
from quantum_fabric.keys.hybrid.transcript import Transcript

__all__ = [
    "Algorithm",
    "Answer",
    "Certified",
    "Combined",
    "Confirmation",
    "HybridPolicy",
    "Initiator",
    "KemKey",
    "Offer",
    "ParameterSet",
    "QkdKey",
    "Responder",
    "Signed",
    "Signer",
    "Sources",
    "Transcript",
    "WhenDown",
    "certified",
    "choose",
    "combine",
    "encapsulate",
    "required",
    "respond",
    "verify",
]
