"""A trial of key servers in one folder: certificates, KEKs and settings that work together at once. Never for production."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from quantum_fabric.server.trial_pki import Authority

HOSTS: Final = ("localhost", "127.0.0.1")
DESK_CA: Final = "trial-ca-of-operators"
SOURCE_CA: Final = "trial-ca-of-sources"


def trial(
    folder: Path,
    kmes: dict[str, list[str]],
    first_port: int = 8443,
    operators: bool = False,
    signed: bool = False,
    hybrid: str | None = None,
    empty: bool = False,
) -> list[Path]:
    """Lay out a trial in a folder: a CA for SAEs and one for KMEs, certificates, KEKs, and a settings file for each KME.

    Every SAE may share keys with every other. See `quantum_fabric.server.trial_pki` for what the certificates are worth.

    Args:
        folder: new or empty; made with mode 0700.
        kmes: KME -> the SAEs that live there.
        first_port: of the first KME; the next ones follow, two for each. 0: free ones.
        operators: also CAs for operators, SDN controllers and sources of keys, a certificate for one of each (``operator-ops``,
            ``sdn-controller``, ``source-twin``), and three more listeners for each KME, on the ports after all others; with ports
            that are known, ``feed-KME.yaml`` says where the source delivers, and as whom.
        signed: whether the KMEs sign what they say to each other, with ML-DSA-65.
        empty: without keys from the published seed: the stores have what they are fed.
        hybrid: the ML-KEM that every key between two KMEs is combined with; None for keys from QKD alone.

    Returns:
        The settings files, in the order of the KMEs.

    Raises:
        FileExistsError: there are files of those names.
        InputError: a name that is none.
    """
    from ruamel.yaml import YAML

    from quantum_fabric.server.trial_pki import authority

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sae_ca, kme_ca = authority(folder, "trial-ca-of-saes"), authority(folder, "trial-ca-of-kmes")
    if operators:
        desk_ca = authority(folder, DESK_CA)
        desk_ca.sign("operator", "ops")
        desk_ca.sign("sdn", "controller")
        authority(folder, SOURCE_CA).sign("source", "twin")
    homes = {sae: kme for kme, saes in kmes.items() for sae in saes}
    for sae in homes:
        sae_ca.sign("sae", sae)
    made: list[Path] = []
    for index, kme in enumerate(kmes):
        fields = _kme(folder, kme_ca, kme, (index, list(kmes), first_port), signed, hybrid)
        fields["sae_listener"] = {"port": _port(first_port, 2 * index), "authority": f"{sae_ca.name}.pem"}
        fields["homes"] = homes
        fields["pairs"] = [
            {"master": one, "slave": other} for one in homes for other in homes if one != other
        ]
        if not empty:
            fields["test_supply"] = {"seed": "a published seed: these keys are not secret"}
        if operators:
            fields |= _further(folder, kme, (index, list(kmes), first_port))
        path = folder / f"{kme}.yaml"
        with path.open("x", encoding="utf-8") as file:
            YAML().dump(fields, file)
        made.append(path)
    return made


Place: TypeAlias = tuple[int, list[str], int]
"""Which KME, of which, and the first port of all."""


def _port(first: int, offset: int) -> int:
    return first + offset if first else 0


def _kme(
    folder: Path, authority: Authority, kme: str, place: Place, signed: bool, hybrid: str | None
) -> dict[str, object]:
    """What a KME is, and who the others are."""
    from quantum_fabric.server.kek import create

    _, kmes, first_port = place
    certificate, key = authority.sign("kme", kme, HOSTS)
    create(folder / f"{kme}.kek", f"{kme}-1")
    peers: dict[str, dict[str, object]] = {
        far: {"url": f"https://127.0.0.1:{_port(first_port, 2 * at + 1)}"}
        for at, far in enumerate(kmes)
        if far != kme
    }
    for far, peer in peers.items():
        peer |= {"hybrid": hybrid} if hybrid else {}
        peer |= {"signatures": [f"sign-{far}.pem"]} if signed else {}
    fields: dict[str, object] = {
        "kme": kme,
        "mode": "trial",
        "certificate": certificate.name,
        "key": key.name,
        "store": f"{kme}.sqlite",
        "kek": {"file": f"{kme}.kek"},
    }
    if signed:
        authority.sign_for_signatures(kme)
        fields["signature_keys"] = [f"sign-{kme}.key"]
    if peers:
        port = _port(first_port, 2 * kmes.index(kme) + 1)
        fields |= {"kme_listener": {"port": port, "authority": f"{authority.name}.pem"}, "peers": peers}
    return fields


def _further(folder: Path, kme: str, place: Place) -> dict[str, object]:
    """Listeners for operators, SDN controllers and sources."""
    from ruamel.yaml import YAML

    index, kmes, first_port = place
    behind = 2 * len(kmes)
    port = _port(first_port, 2 * behind + index)
    if first_port:
        feed = {
            "kind": "feed", "kme": kme, "url": f"https://127.0.0.1:{port}", "certificate": "source-twin.pem",
            "key": "source-twin.key", "authority": "trial-ca-of-kmes.pem",
        }  # fmt: skip
        with (folder / f"feed-{kme}.yaml").open("x", encoding="utf-8") as file:
            YAML().dump(feed, file)
    desk = f"{DESK_CA}.pem"
    return {
        "operator_listener": {"port": _port(first_port, behind + 2 * index), "authority": desk},
        "sdn_listener": {"port": _port(first_port, behind + 2 * index + 1), "authority": desk},
        "supply_listener": {"port": port, "authority": f"{SOURCE_CA}.pem"},
        "sources": {"twin": {"origin": "twin", "kmes": [far for far in kmes if far != kme] or [kme]}},
    }
