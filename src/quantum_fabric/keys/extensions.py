"""Extension parameters of a key request: what this KME understands, and whether it can do it.

A mandatory parameter that is unknown or cannot be met refuses the request, in the standard's words; an optional one is
followed where possible and otherwise left out.

=========================  ============  ===================================================================
parameter                  value         meaning
=========================  ============  ===================================================================
``qfabric_lifetime_s``     integer >= 1  the key expires so long after it was reserved; at most the KME's own
``qfabric_origin``         ``qkd`` ...   only bits of this origin
``qfabric_max_epsilon``    number        only bits whose block's failure probability is at most this
``qfabric_hybrid``         ``required``  only keys that are combined with ML-KEM on the way to the other KME (or, of one kind
                                         only: ``ML-KEM-768``, ``ML-KEM-1024``); whether they are is a rule of both KMEs
=========================  ============  ===================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from quantum_fabric.keys.answers import MANDATORY_UNKNOWN, MANDATORY_UNMET, Refusal
from quantum_fabric.keys.policy import Limits
from quantum_fabric.keys.records import Instant, Origin, Provenance

LIFETIME: Final = "qfabric_lifetime_s"
ORIGIN: Final = "qfabric_origin"
EPSILON: Final = "qfabric_max_epsilon"
HYBRID: Final = "qfabric_hybrid"
KNOWN: Final = frozenset({LIFETIME, ORIGIN, EPSILON, HYBRID})


@dataclass(frozen=True, slots=True)
class Wish:
    """What the parameters ask for.

    Attributes:
        lifetime: of the keys, in ms.
        origin: only this one, where given.
        epsilon: at most this.
        hybrid: ``required``, or which ML-KEM; empty where it need not be.
    """

    lifetime: Instant
    origin: Origin | None = None
    epsilon: float = 1.0
    hybrid: str = ""

    def fits(self, provenance: Provenance) -> bool:
        """Whether a key of this provenance will do."""
        return self.origin in (None, provenance.origin) and provenance.epsilon <= self.epsilon

    def combined(self, kem: str | None) -> bool:
        """Whether keys that are combined with that ML-KEM, or with none, will do."""
        return not self.hybrid or self.hybrid == kem or (self.hybrid == "required" and kem is not None)


def wish(mandatory: Mapping[str, object], optional: Mapping[str, object], limits: Limits) -> Wish | Refusal:
    """Read the parameters of a request. `origin` and `epsilon` are binding from the mandatory part only.

    Examples:
        >>> wish({"qfabric_lifetime_s": 60}, {"acme_colour": "red"}, Limits())
        Wish(lifetime=60000, origin=None, epsilon=1.0, hybrid='')
        >>> wish({"acme_colour": "red"}, {}, Limits()).message
        'not all extension_mandatory parameters are supported'
    """
    unknown = sorted(set(mandatory) - KNOWN)
    if unknown:
        return Refusal(400, MANDATORY_UNKNOWN, tuple({"parameter": name[:64]} for name in unknown[:16]))
    lifetime, origin, epsilon, hybrid = limits.lifetime, None, 1.0, ""
    for name, value in mandatory.items():
        match name, value:
            case ("qfabric_lifetime_s", int()) if _lifetime(value, limits):
                lifetime = 1000 * value
            case ("qfabric_origin", str()) if value in set(Origin):
                origin = Origin(value)
            case ("qfabric_max_epsilon", int() | float()) if value is not True and 0 <= value <= 1:
                epsilon = float(value)
            case ("qfabric_hybrid", "required" | "ML-KEM-768" | "ML-KEM-1024"):
                hybrid = str(value)
            case _:
                return Refusal(400, MANDATORY_UNMET, ({"parameter": name},))
    wanted = optional.get(LIFETIME)
    if LIFETIME not in mandatory and isinstance(wanted, int) and _lifetime(wanted, limits):
        lifetime = 1000 * wanted
    return Wish(lifetime, origin, epsilon, hybrid)


def _lifetime(value: int, limits: Limits) -> bool:
    return value is not True and 1 <= value <= limits.lifetime // 1000
