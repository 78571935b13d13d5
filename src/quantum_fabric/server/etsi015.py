"""A KME as a node in the model of ETSI GS QKD 015 V2.1.1, for an SDN controller: values in, the tree out. No I/O.

====================  =========================================================================================
in the model          here
====================  =========================================================================================
node                  the KME
link                  the stock that is shared with one other KME, whatever feeds it
application           a pair of SAEs that may ask for keys (014), and each open key stream (004)
interface             what the settings say of the QKD modules; a KME knows none by itself
====================  =========================================================================================

The model wants a UUID for everything: those that the settings do not give are made of names (RFC 9562, version 5), the same at both
ends of a link. A value that this KME does not know (QBER, attenuation) is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid5

from quantum_fabric.keys import Instant, Policy, Pool
from quantum_fabric.keys.streams import LARGEST, EndState, Stream
from quantum_fabric.keys.streams_open import IDLE
from quantum_fabric.server.etsi015_tree import identity
from quantum_fabric.server.identity import uri
from quantum_fabric.server.settings import LinkSettings, NodeSettings

NAMES: Final = UUID("6f2c0f0e-0a57-5a1e-8b5e-6b1f0d1c9a15")
"""The name space of the UUIDs that are made here."""

WINDOW: Final[Instant] = 60_000
"""Key rates are those of the last minute, in ms; a link without new bits for so long is passive."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store and the running KME know.

    Attributes:
        pools: each with its octets.
        streams: those that this KME knows.
        supplied: new bits: when, for which pool, how many octets.
        waiting: of each pair, the keys that are not destroyed.
    """

    pools: Sequence[tuple[Pool, int]]
    streams: Sequence[Stream]
    supplied: Iterable[tuple[Instant, Pool, int]]
    waiting: dict[tuple[str, str], int]


def node_id(kme: str, settings: NodeSettings | None = None) -> str:
    """The UUID of a KME; `settings` where it is our own.

    Examples:
        >>> node_id("kme-a")
        '67273291-5864-5620-88ad-794864894d56'
    """
    given = settings.id if settings is not None else None
    return str(given or uuid5(NAMES, f"kme/{kme}"))


def link_id(one: str, other: str) -> str:
    """The UUID of the link between two KMEs, whichever is named first."""
    return str(uuid5(NAMES, "link/" + "/".join(sorted((one, other)))))


def node(policy: Policy, settings: NodeSettings, version: str, seen: Seen, now: Instant) -> dict[str, Any]:
    """The tree below ``qkd_node``, as RFC 7951 JSON.

    Args:
        policy: of the KME.
        settings: what it says of itself.
        version: of the program.
        seen: what there is.
        now: the time.

    Limits:
        ``skr`` is measured since the start of this process, over `WINDOW`; ``eskr`` is the same, as keys for the KME's own use are
        not taken from the stock. Consumption is that of key streams.
    """
    apps = [_stream(policy, settings, one, now) for one in seen.streams] + _pairs(policy, settings, seen)
    far = sorted({kme for kme in policy.homes.values() if kme != policy.kme} | set(settings.links))
    supplied = [one for one in seen.supplied if now - one[0] <= WINDOW]
    return {
        "qkdn_id": node_id(policy.kme, settings),
        "qkdn_status": identity("OPERATING"),
        "qkdn_version": version,
        "qkdn_location_id": settings.location,
        "qkdn_capabilities": {
            "link_stats_support": True,
            "application_stats_support": True,
            "key_relay_mode_enable": False,
        },
        "qkd_applications": {"qkd_app": apps},
        "qkd_interfaces": {"qkd_interface": [_interface(one.model_dump()) for one in settings.interfaces]},
        "qkd_links": {"qkd_link": [_link(policy, settings, kme, seen, supplied, apps) for kme in far]},
    }


def _common(policy: Policy, settings: NodeSettings, pair: tuple[str, str]) -> dict[str, Any]:
    homes = [policy.homes.get(sae, policy.kme) for sae in pair]
    far = next((home for home in homes if home != policy.kme), policy.kme)
    remote = node_id(far) if far != policy.kme else node_id(policy.kme, settings)
    about: dict[str, Any] = {
        "app_type": identity("CLIENT"),
        "server_app_id": uri("sae", pair[0]),
        "client_app_id": [uri("sae", pair[1])],
        "local_qkdn_id": node_id(policy.kme, settings),
        "remote_qkdn_id": remote,
    }
    return about | ({"backing_qkdl_id": [link_id(policy.kme, far)]} if far != policy.kme else {})


def _stream(policy: Policy, settings: NodeSettings, stream: Stream, now: Instant) -> dict[str, Any]:
    ends = [end for end in stream.ends if policy.lives_here(end.sae)]
    at_home = policy.lives_here(stream.master)
    there = all(end.state is EndState.OPEN for end in (stream.ends if at_home else ends))
    quality = stream.quality
    about = _common(policy, settings, (stream.master, stream.slave)) | {
        "app_id": str(stream.name),
        "app_status": identity("ON" if there else "DISCONNECTED"),
        "app_priority": quality.priority,
        "creation_time": _date(stream.created),
        "expiration_time": _date(stream.touched + IDLE),
        "app_qos": {
            "max_bandwidth": quality.max_bps, "min_bandwidth": quality.min_bps, "jitter": quality.jitter,
            "ttl": quality.ttl, "clients_shared_path_enable": False, "clients_shared_keys_required": False,
        },
    }  # fmt: skip
    if at_home:  # the other KME does not cut, and so does not count
        consumed = min(LARGEST, 8 * quality.chunk * stream.cut)
        period = {"end_time": _date(now), "start_time": _date(stream.created), "consumed_bits": consumed}
        about["app_statistics"] = {"statistics": [period]}
    return about


def _pairs(policy: Policy, settings: NodeSettings, seen: Seen) -> list[dict[str, Any]]:
    limits, found = policy.limits, []
    for (master, slave), quota in sorted(policy.pairs.items()):
        if policy.lives_here(master):
            most = min(LARGEST, int(quota.rate * limits.default_size))
            found.append(
                _common(policy, settings, (master, slave))
                | {
                    "app_id": str(uuid5(NAMES, f"pair/{master}/{slave}")),
                    "app_status": identity("ON" if seen.waiting.get((master, slave)) else "DISCONNECTED"),
                    "app_qos": {"max_bandwidth": most, "ttl": min(LARGEST, limits.lifetime // 1000)},
                }
            )
    return found


def _interface(given: dict[str, Any]) -> dict[str, Any]:
    can: dict[str, Any] = {"role_support": identity(given["role"])}
    if given["wavelengths"] is not None:
        can["wavelength_range"] = given["wavelengths"]
    if given["max_absorption_db"] is not None:
        can["max_absorption"] = _decimal(given["max_absorption_db"])
    return {
        "qkdi_id": given["id"],
        "qkdi_model": given["model"],
        "qkdi_type": identity(given["technology"]),
        "qkdi_capabilities": can,
        "qkdi_status": identity(given["status"]),
    }


def _link(
    policy: Policy,
    settings: NodeSettings,
    far: str,
    seen: Seen,
    supplied: Sequence[tuple[Instant, Pool, int]],
    apps: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    ours = {Pool(policy.kme, far), Pool(far, policy.kme)}
    stock = sum(octets for pool, octets in seen.pools if pool in ours)
    fresh = 8 * sum(octets for _, pool, octets in supplied if pool in ours)
    rate = min(LARGEST, 1000 * fresh // WINDOW)
    name = link_id(policy.kme, far)
    users = [app for app in apps if name in app.get("backing_qkdl_id", ())]
    asked = sum(app["app_qos"]["max_bandwidth"] for app in users if "app_statistics" in app)
    about: dict[str, Any] = {
        "qkdl_id": name,
        "qkdl_status": identity("ACTIVE" if fresh else "PASSIVE" if stock else "OFF"),
        "qkdl_enable": True,
        "qkdl_local": {"qkdn_id": node_id(policy.kme, settings)},
        "qkdl_remote": {"qkdn_id": node_id(far)},
        "qkdl_applications": [app["app_id"] for app in users],
        "qkdl_performance": {"expected_consumption": min(LARGEST, asked), "skr": rate, "eskr": rate},
    }
    given = settings.links.get(far)
    return about if given is None else _described(about, given)


def _described(about: dict[str, Any], given: LinkSettings) -> dict[str, Any]:
    about["qkdl_type"] = identity(given.kind)
    if given.interface is not None:
        about["qkdl_local"]["qkdi_id"] = given.interface
    if given.kind == "PHYS":
        if given.attenuation_db is not None:
            about["phys_channel_att"] = _decimal(given.attenuation_db)
        if given.wavelength is not None:
            about["phys_wavelength"] = str(given.wavelength)
        if given.role is not None:
            about["phys_qkd_role"] = identity(given.role)
    return about


def _decimal(value: float) -> str:
    return f"{value:.3f}"


def _date(at: Instant) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
