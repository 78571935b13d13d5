"""The data tree of ETSI GS QKD 015 V2.1.1 (2022-04), revision 2022-01-30 of its YANG module, as a table. Names and types only.

The module itself is BSD-licensed by ETSI and stays with ETSI; this table was written after reading it, so that a KME can say what
it exposes, filter by ``content`` and ``depth``, and be checked without a YANG compiler (``tests/contracts/test_etsi015.py``; the
same test runs ``yanglint`` over the modules where both are at hand). Notifications are not part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MODULE: Final = "etsi-qkd-sdn-node"
TYPES: Final = "etsi-qkd-node-types"
"""The module of the identities, which prefixes them in JSON (RFC 7951)."""

IDENTITIES: Final = {
    "technology": ("CV-QKD", "DV-QKD", "DV-QKD-COW", "DV-QKD-2Ws"),
    "node-status": ("NEW", "OPERATING", "DOWN", "FAILURE", "OUT"),
    "link-type": ("VIRT", "PHYS"),
    "role": ("TRANSMITTER", "RECEIVER", "TRANSCEIVER"),
    "app-type": ("CLIENT", "INTERNAL"),
    "performance": ("QBER", "SNR"),
    "link-status": ("ACTIVE", "PASSIVE", "PENDING", "OFF"),
    "interface-status": ("ENABLED", "DISABLED", "FAILED"),
    "app-status": ("ON", "DISCONNECTED", "OUT-OF-TIME", "ZOMBIE"),
}
"""What an identity leaf may hold."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value, or a list of values of one type.

    Attributes:
        kind: a name of YANG's (``uuid``, ``uint32``, ``decimal64``, ...), or one of `IDENTITIES`.
        config: False for state.
        many: a leaf-list.
    """

    kind: str
    config: bool = True
    many: bool = False


@dataclass(frozen=True, slots=True)
class Inner:
    """A container, or a list of entries.

    Attributes:
        children: what is in it.
        key: of a list; empty for a container.
        config: False for state.
    """

    children: dict[str, Leaf | Inner]
    key: str = ""
    config: bool = True


def _state(kind: str) -> Leaf:
    return Leaf(kind, config=False)


_APP: Final[dict[str, Leaf | Inner]] = {
    "app_id": Leaf("uuid"),
    "app_status": _state("app-status"),
    "app_type": Leaf("app-type"),
    "server_app_id": Leaf("uri"),
    "client_app_id": Leaf("uri", many=True),
    "app_priority": Leaf("uint32"),
    "creation_time": _state("date-and-time"),
    "expiration_time": Leaf("date-and-time"),
    "app_statistics": Inner(
        {
            "statistics": Inner(
                {
                    "end_time": _state("date-and-time"),
                    "start_time": _state("date-and-time"),
                    "consumed_bits": _state("uint32"),
                },
                key="end_time",
                config=False,
            )
        }
    ),
    "app_qos": Inner(
        {
            "max_bandwidth": Leaf("uint32"),
            "min_bandwidth": Leaf("uint32"),
            "jitter": Leaf("uint32"),
            "ttl": Leaf("uint32"),
            "clients_shared_path_enable": Leaf("boolean"),
            "clients_shared_keys_required": Leaf("boolean"),
        }
    ),
    "backing_qkdl_id": Leaf("uuid", many=True),
    "local_qkdn_id": Leaf("uuid"),
    "remote_qkdn_id": Leaf("uuid"),
}

_INTERFACE: Final[dict[str, Leaf | Inner]] = {
    "qkdi_id": Leaf("uint32"),
    "qkdi_model": Leaf("string"),
    "qkdi_type": Leaf("technology"),
    "qkdi_att_point": Inner({"device": Leaf("string"), "port": Leaf("uint32")}),
    "qkdi_capabilities": Inner(
        {
            "role_support": Leaf("role"),
            "wavelength_range": Leaf("wavelength-range"),
            "max_absorption": Leaf("decimal64"),
        }
    ),
    "qkdi_status": _state("interface-status"),
}

_LINK: Final[dict[str, Leaf | Inner]] = {
    "qkdl_id": Leaf("uuid"),
    "qkdl_status": Leaf("link-status"),
    "qkdl_enable": Leaf("boolean"),
    "qkdl_local": Inner({"qkdn_id": Leaf("uuid"), "qkdi_id": Leaf("uint32")}),
    "qkdl_remote": Inner({"qkdn_id": Leaf("uuid"), "qkdi_id": Leaf("uint32")}),
    "qkdl_type": Leaf("link-type"),
    "qkdl_applications": Leaf("uuid", many=True),
    "virt_prev_hop": Leaf("uuid"),
    "virt_next_hop": Leaf("uuid", many=True),
    "virt_bandwidth": Leaf("uint32"),
    "phys_channel_att": Leaf("decimal64"),
    "phys_wavelength": Leaf("wavelength"),
    "phys_qkd_role": Leaf("role"),
    "qkdl_performance": Inner(
        {
            "expected_consumption": _state("uint32"),
            "skr": _state("uint32"),
            "eskr": _state("uint32"),
            "phys_perf": Inner(
                {"perf_type": _state("performance"), "value": _state("decimal64")},
                key="perf_type",
                config=False,
            ),
        }
    ),
}

NODE: Final = Inner(
    {
        "qkdn_id": Leaf("uuid"),
        "qkdn_status": _state("node-status"),
        "qkdn_version": Leaf("string"),
        "qkdn_location_id": Leaf("string"),
        "qkdn_capabilities": Inner(
            {
                "link_stats_support": Leaf("boolean"),
                "application_stats_support": Leaf("boolean"),
                "key_relay_mode_enable": Leaf("boolean"),
            }
        ),
        "qkd_applications": Inner({"qkd_app": Inner(_APP, key="app_id")}),
        "qkd_interfaces": Inner({"qkd_interface": Inner(_INTERFACE, key="qkdi_id")}),
        "qkd_links": Inner({"qkd_link": Inner(_LINK, key="qkdl_id")}),
    }
)
"""``qkd_node``, the one container at the top."""


def identity(name: str) -> str:
    """An identity in JSON (RFC 7951, section 6.8).

    Examples:
        >>> identity("OPERATING")
        'etsi-qkd-node-types:OPERATING'
    """
    return f"{TYPES}:{name}"
