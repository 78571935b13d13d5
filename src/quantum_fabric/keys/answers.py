"""What the desk answers: a grant, or a refusal in the exact words of ETSI GS QKD 014 V1.1.1.

Statuses: 400 the request is wrong or names a key that is not there, 401 the caller may not, 503 not now. The standard
has no others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from quantum_fabric.keys.material import KeyMaterial
from quantum_fabric.keys.records import Provenance

SIZE_NOT_OCTETS: Final = "size shall be a multiple of 8"
MANDATORY_UNKNOWN: Final = "not all extension_mandatory parameters are supported"
MANDATORY_UNMET: Final = "not all extension_mandatory request options could be met"
NOT_FOUND: Final = "one or more keys specified are not found on KME"

Detail = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer no; nothing was changed except that the audit book says so.

    Attributes:
        status: 400, 401 or 503.
        message: in the standard's words where it has any.
        details: name and value pairs; never a key, nor anything derived from one.
    """

    status: int
    message: str
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True)
class DeliveredKey:
    """A key on its way out of the door.

    Attributes:
        key_id: its name.
        material: its bits; the receiver wipes them.
        provenance: where they came from.
    """

    key_id: UUID
    material: KeyMaterial
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Grant:
    """Keys for the caller, in the order asked. They count as delivered, whether they arrive or not.

    Attributes:
        keys: at least one.
    """

    keys: tuple[DeliveredKey, ...]

    def wipe(self) -> None:
        """Overwrite all of them."""
        for key in self.keys:
            key.material.wipe()


@dataclass(frozen=True, slots=True)
class Promise:
    """Keys are reserved, but another KME must confirm before they may be released.

    Attributes:
        key_ids: what was reserved.
        kmes: whose confirmation is missing.
    """

    key_ids: tuple[UUID, ...]
    kmes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """What a KME can do for a pair of SAEs: the Status data format, in the spelling of the standard; sizes in bits."""

    source_KME_ID: str  # noqa: N815
    target_KME_ID: str  # noqa: N815
    master_SAE_ID: str  # noqa: N815
    slave_SAE_ID: str  # noqa: N815
    key_size: int
    stored_key_count: int
    max_key_count: int
    max_key_per_request: int
    max_key_size: int
    min_key_size: int
    max_SAE_ID_count: int  # noqa: N815


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A "Get key", read but not yet judged.

    Attributes:
        slave: the SAE of the path.
        number: how many keys.
        size: of each in bits; the default of the KME where None.
        additional: more slaves.
        mandatory, optional: extension parameters.
    """

    slave: str
    number: int = 1
    size: int | None = None
    additional: tuple[str, ...] = ()
    mandatory: dict[str, object] = field(default_factory=dict)
    optional: dict[str, object] = field(default_factory=dict)
