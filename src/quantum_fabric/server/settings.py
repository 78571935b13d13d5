"""The settings of a key server: one YAML file, checked before anything listens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from quantum_fabric.errors import DocumentError, Finding, InputError
from quantum_fabric.keys import KeyRing, Limits, Mode, Origin, Policy, Quota
from quantum_fabric.server.identity import Credentials, Naming
from quantum_fabric.server.kek import pin_from, private, ring_from_environment, ring_from_file
from quantum_fabric.server.sqlite import SqliteDatabase
from quantum_fabric.server.store import Database

if TYPE_CHECKING:
    from quantum_fabric.server.signed import Signing
    from quantum_fabric.server.supply_api import Delivers

M = TypeVar("M", bound="_Strict")
Positive = Annotated[int, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listener(_Strict):
    """Where one kind of caller is served, and whose certificates are let in."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)]
    authority: Path
    """The CA of the callers, PEM. SAEs, KMEs and operators have different ones."""
    revoked: Path | None = None
    """A revocation list of that CA, PEM."""
    url: str | None = None
    """How others reach it, where that is not ``https://HOST:PORT``."""


class TokenSettings(_Strict):
    """KEKs that stay in a PKCS#11 token."""

    module: Path
    """Its library."""
    token: str
    """Its label."""
    keks: list[str]
    """Labels of AES-256 keys in it; the first seals, the others only open."""
    pin_file: Path | None = None
    pin_environment: str | None = None


class KekSource(_Strict):
    """Where the KEKs are: a file of mode 0600, a variable, or a token."""

    file: Path | None = None
    environment: str | None = None
    pkcs11: TokenSettings | None = None


class PostgresSettings(_Strict):
    """A store in PostgreSQL, for several processes that are one KME."""

    postgres: str
    """Its address, ``postgresql://USER@/DATABASE?host=FOLDER_OF_THE_SOCKET``; no password."""
    passfile: Path | None = None
    """Where the password is: ``HOST:PORT:DATABASE:USER:PASSWORD``, mode 0600."""


class LimitSettings(_Strict):
    """See `quantum_fabric.keys.Limits`; sizes in bits."""

    default_size: Positive = 256
    smallest: Positive = 64
    largest: Positive = 8192
    per_request: Positive = 128
    slaves: Annotated[int, Field(ge=0, le=1000)] = 8
    stock: Positive = 1_000_000
    lifetime_seconds: Positive = 3600


class PairSettings(_Strict):
    """One direction of key supply between two SAEs, and its quota."""

    master: str
    slave: str
    waiting: Positive = 10_000
    burst: Positive = 10_000
    rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 5_000.0


class PeerSettings(_Strict):
    """Another KME."""

    url: Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.\-\[\]:]+$")]
    neighbour: bool = False
    """In the same protected site: keys go to it by value. Otherwise they never do."""
    hybrid: Literal["ML-KEM-768", "ML-KEM-1024"] | None = None
    """Every key with it is made from QKD *and* from this, or there is none. The other KME must have the same rule."""
    signatures: list[Path] = []
    """Its signature certificates (ML-DSA), PEM: with them, calls and answers on both sides must be signed."""


class TestSupply(_Strict):
    """The published test source; only in the mode ``trial``."""

    __test__ = False
    seed: str
    octets: Annotated[int, Field(gt=0, le=1 << 24)] = 1 << 20


class InterfaceSettings(_Strict):
    """A QKD module of this node, as an SDN controller is told of it (ETSI GS QKD 015)."""

    id: Annotated[int, Field(ge=0, lt=2**32)]
    model: str = ""
    technology: Literal["CV-QKD", "DV-QKD", "DV-QKD-COW", "DV-QKD-2Ws"]
    role: Literal["TRANSMITTER", "RECEIVER", "TRANSCEIVER"]
    status: Literal["ENABLED", "DISABLED", "FAILED"] = "ENABLED"
    wavelengths: (
        Annotated[
            str, Field(pattern=r"^[1-9][0-9]{0,3}(-[1-9][0-9]{0,3})?(,[1-9][0-9]{0,3}(-[1-9][0-9]{0,3})?)*$")
        ]
        | None
    ) = None
    """WDM channels, as ``1,12-20``."""
    max_absorption_db: Annotated[float, Field(ge=0, le=1000)] | None = None


class LinkSettings(_Strict):
    """What is known of the link to one other KME."""

    kind: Literal["PHYS", "VIRT"]
    interface: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    attenuation_db: Annotated[float, Field(ge=0, le=1000)] | None = None
    wavelength: Annotated[int, Field(gt=0, lt=10_000)] | None = None
    """A WDM channel."""
    role: Literal["TRANSMITTER", "RECEIVER"] | None = None


class NodeSettings(_Strict):
    """This node in the model of ETSI GS QKD 015; what is not said here is made of the names of the KMEs, or left out."""

    id: UUID | None = None
    location: str = ""
    interfaces: list[InterfaceSettings] = []
    links: dict[str, LinkSettings] = {}
    """KME: its link."""


class RelaySupply(_Strict):
    """A stock that this KME keeps filled over trusted nodes, because it has no QKD link of its own to the other."""

    target: str
    paths: Annotated[list[list[str]], Field(min_length=1, max_length=16)]
    """One for each share, from this KME to the target."""
    octets: Annotated[int, Field(gt=0, le=1 << 15)] = 4096
    """Of each block."""
    below: Annotated[int, Field(gt=0)] = 65_536
    """Octets of stock under which a block is sent."""
    patience_seconds: Annotated[int, Field(gt=0, le=3600)] = 60


class RelayQuota(_Strict):
    """How much of the keys of two others is handed on, in octets of key; each share counts."""

    source: str
    """The KME that sends them."""
    target: str
    burst: Positive = 1 << 20
    """At once after a rest."""
    rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1024.0
    """Per second in the long run."""


class RelaySettings(_Strict):
    """Keys over trusted nodes."""

    relays: bool = False
    """Whether keys of others are handed on."""
    quotas: list[RelayQuota] = []
    """For whom, and how much. Where there is one, ends that have none are not served; without any, all are."""
    epsilon: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Failure probability of relayed bits, all links of a path together; 1 promises nothing."""
    supplies: list[RelaySupply] = []


class SourceSettings(_Strict):
    """What a source of key bits may deliver."""

    origin: Literal["qkd", "twin"]
    """Of its bits; bits of a twin are taken in the mode ``trial`` only."""
    kmes: Annotated[list[str], Field(min_length=1)]
    """The KMEs at the other end of its links."""


class KmeSettings(_Strict):
    """All of it."""

    kme: str
    mode: Mode = Mode.PRODUCTION
    certificate: Path
    key: Path
    naming: Naming = Naming.URI
    sae_listener: Listener
    kme_listener: Listener | None = None
    operator_listener: Listener | None = None
    """For operators (`qfabric keys`): certificates with a URI ``qkd://operator/NAME``."""
    sdn_listener: Listener | None = None
    """For SDN controllers, read-only: certificates with a URI ``qkd://sdn/NAME``."""
    supply_listener: Listener | None = None
    """For what makes key bits: certificates with a URI ``qkd://source/NAME``."""
    sources: dict[str, SourceSettings] = {}
    """NAME: what it may deliver."""
    node: NodeSettings = NodeSettings()
    health_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    """Plain HTTP on 127.0.0.1, for a supervisor; says whether it serves, and nothing else."""
    signature_keys: list[Path] = []
    """What this KME signs with, PEM, mode 0600: one for each algorithm that its peers hold a certificate of."""
    store: Path | PostgresSettings
    kek: KekSource
    homes: dict[str, str]
    """SAE: the KME where it lives."""
    pairs: list[PairSettings]
    peers: dict[str, PeerSettings] = {}
    limits: LimitSettings = LimitSettings()
    patience_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    """How long a master waits for other KMEs."""
    test_supply: TestSupply | None = None
    relay: RelaySettings | None = None
    """Without it no relay message is taken."""
    kind: Literal["kme"] = "kme"

    def policy(self) -> Policy:
        """The rules.

        Raises:
            InputError: they contradict each other.
        """
        given = self.limits.model_dump(exclude={"lifetime_seconds"})
        limits = Limits(**given, lifetime=1000 * self.limits.lifetime_seconds)
        pairs = {(one.master, one.slave): Quota(one.waiting, one.burst, one.rate) for one in self.pairs}
        near = frozenset(name for name, peer in self.peers.items() if peer.neighbour)
        unknown = sorted(set(self.homes.values()) - {self.kme, *self.peers})
        if unknown:
            raise InputError(f"KME '{unknown[0]}'", "this KME or one of its peers", "homes")
        strangers = sorted(set(self.node.links) - set(self.peers))
        if strangers:
            raise InputError(f"KME '{strangers[0]}'", "one of its peers", "node.links")
        for one in self.relay.supplies if self.relay is not None else ():
            wrong = [
                path for path in one.paths if len(path) < 3 or path[0] != self.kme or path[-1] != one.target
            ]
            if wrong or not {path[1] for path in one.paths} <= set(self.peers):
                expected = f"paths from {self.kme} by a peer and others to {one.target}"
                raise InputError("another path", expected, "relay.supplies.paths")
        if self.test_supply is not None and self.mode is not Mode.TRIAL:
            raise InputError("a test supply", "mode 'trial': its bits are published", "test_supply")
        hybrid = {name: peer.hybrid for name, peer in self.peers.items() if peer.hybrid is not None}
        if hybrid and not isinstance(self.store, Path):
            raise InputError(
                "a store in PostgreSQL", "a file: exchanges of ML-KEM live in one process", "hybrid"
            )
        return Policy(
            self.kme,
            self.homes,
            pairs,
            limits,
            self.mode,
            near | ({self.kme} if near else frozenset()),
            hybrid,
        )

    def ring(self) -> KeyRing:
        """The KEKs.

        Raises:
            InputError: there is no source or two, it is not private, or the token does not open.
        """
        match self.kek:
            case KekSource(file=Path() as path, environment=None, pkcs11=None):
                return ring_from_file(path)
            case KekSource(file=None, environment=str() as name, pkcs11=None):
                return ring_from_environment(name)
            case KekSource(file=None, environment=None, pkcs11=TokenSettings() as token):
                from quantum_fabric.server.pkcs11 import ring_from_token

                pin = pin_from(token.pin_file, token.pin_environment)
                return ring_from_token(token.module, token.token, token.keks, pin)
        raise InputError("no source or several", "one of 'file', 'environment' and 'pkcs11'", "kek")

    def database(self) -> Database:
        """The store, open.

        Raises:
            InputError: others may read it, it is of another version, or its address is none.
            DatabaseError: PostgreSQL cannot be reached.
            OSError: the file cannot be opened.
        """
        if isinstance(self.store, Path):
            return SqliteDatabase(self.store)
        from quantum_fabric.server.postgres import PostgresDatabase

        if self.store.passfile is not None:
            private(self.store.passfile, "passfile")
        return PostgresDatabase(self.store.postgres, self.store.passfile)

    def deliveries(self) -> dict[str, Delivers]:
        """What each source may deliver."""
        from quantum_fabric.server.supply_api import Delivers

        return {name: Delivers(Origin(one.origin), frozenset(one.kmes)) for name, one in self.sources.items()}

    def signatures(self) -> Signing:
        """Who signs what between KMEs.

        Raises:
            InputError: a certificate or key that is not what it should be.
        """
        from quantum_fabric.server.signed import Signing, load_held, load_signer

        listener = self.kme_listener
        peers = {
            name: load_held(name, peer.signatures, listener.authority)
            for name, peer in self.peers.items()
            if peer.signatures and listener is not None
        }
        return Signing(self.kme, load_signer(self.kme, self.signature_keys), peers)

    def credentials(self, listener: Listener) -> Credentials:
        """The files for a listener."""
        return Credentials(self.certificate, self.key, listener.authority, listener.revoked)


def load(path: Path) -> KmeSettings:
    """Read a settings file; paths in it are relative to it.

    Args:
        path: of a YAML file.

    Raises:
        DocumentError: with the field of every fault.
        OSError: it cannot be read.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        fields: Any = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeError) as error:
        raise DocumentError([Finding(str(path), 0, "", type(error).__name__, "YAML in UTF-8")]) from None
    try:
        settings = KmeSettings.model_validate(fields)
    except ValidationError as error:
        # the values themselves stay out: somebody may have put a secret into the wrong field
        findings = [
            Finding(str(path), 0, ".".join(map(str, one["loc"])), "something else", one["msg"])
            for one in error.errors(include_input=False, include_url=False)
        ]
        raise DocumentError(findings) from None
    return _anchored(settings, path.parent)


def _anchored(model: M, folder: Path) -> M:
    changes: dict[str, Any] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, Path):
            changes[name] = folder / value
        elif isinstance(value, list) and any(isinstance(one, Path) for one in value):
            changes[name] = [folder / one for one in value]
        elif isinstance(value, _Strict):
            changes[name] = _anchored(value, folder)
        elif isinstance(value, dict):
            changes[name] = {
                key: _anchored(one, folder) if isinstance(one, _Strict) else one for key, one in value.items()
            }
    return model.model_copy(update=changes)
