"""What a workload says of keys: QKD sessions, and attacks on them, as a person writes them down and in base units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from quantum_fabric.documents.fields import Angle, Count, Delay, Duration, Entry, Name, Text, checked_fraction
from quantum_fabric.documents.reading import quoted
from quantum_fabric.errors import InputError, QuantityError
from quantum_fabric.physics.qkd.attacks import ATTACKS, Attack, Jamming
from quantum_fabric.physics.qkd.clicks import Watch
from quantum_fabric.units import MS, Time, parse, parse_time


def _share(value: object) -> str | float:
    """A probability between 0 and 1, both left out or not as the field says."""
    return checked_fraction(
        value, lambda share: 0.0 <= share <= 1.0, "a fraction in [0, 1]", "a fraction such as 0.2 or '20 %'"
    )


Share = Annotated[
    str | int | float,
    BeforeValidator(_share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": r"^\s*\d+\.?\d*\s*%\s*$"},
            ],
            "examples": [0.2, "20 %"],
        }
    ),
]
Chance = Annotated[float, Field(gt=0.0, lt=1.0, allow_inf_nan=False)]

PROTOCOLS: Final = ("bb84", "bbm92", "e91", "six_state", "mdi", "twin_field")
STATION_PROTOCOLS: Final = ("mdi", "twin_field")
"""Both ends send, and a station that nobody trusts announces what it measured."""

TARGETS: Final[dict[str, tuple[str, ...]]] = {
    "intercept_resend": ("link", "session"),
    "photon_number_splitting": ("link",),
    "blinding": ("link",),
    "time_shift": ("link",),
    "trojan_horse": ("link",),
    "denial_of_service": ("link", "session"),
    "man_in_the_middle": ("session",),
    "replay": ("session",),
    "compromised_node": ("node",),
    "false_announcement": ("node",),
    "invented_clicks": ("node",),
}
"""What each attack is aimed at."""

_PARAMETERS: Final = ("fraction", "photons", "mismatch")


class QkdEntry(Entry):
    """One QKD session: two nodes make keys over a link, block after block."""

    name: Name = Field(description="of the session")
    source: Name = Field(alias="from", description="from: the node that sends, or measures the first half")
    destination: Name = Field(alias="to", description="to: the node that receives")
    link: Name | None = Field(
        None, description="the link between them, whose photons are measured at once; or pairs and fidelity"
    )
    station: Name | None = Field(
        None,
        description="mdi, twin_field: the node between them, to which a link of weak pulses leads from each",
    )
    pairs: Count | None = Field(
        None, description="without a link: pairs of a block, over any path of memories"
    )
    fidelity: Share | None = Field(None, description="without a link: least fidelity of those pairs")
    protocol: Literal["bb84", "bbm92", "e91", "six_state", "mdi", "twin_field"] = Field(
        "bb84",
        description="bb84 with decoys over weak pulses; mdi, twin_field with a station; the others over pairs",
    )
    key_basis: Share = Field(0.7, description="chance of the basis that gives key, at both ends")
    intensity: Annotated[float, Field(gt=0.0, le=1.0, allow_inf_nan=False)] | None = Field(
        None, description="twin_field: mean photons of a pulse that carries key; 0.018 without one"
    )
    phase_error: Angle | None = Field(
        None, description="twin_field: rms phase between the ends that their lock leaves; '5 deg' without one"
    )
    phase_drift: Angle | None = Field(
        None, description="twin_field: rms of how far the phase runs until the next lock; none without one"
    )
    lock: Duration | None = Field(
        None, description="twin_field: from one lock of the phase to the next; '1 ms' without one"
    )
    start: Delay | None = Field(None, description="when it begins; '0 s' without one")
    until: Delay | None = Field(None, description="when it ends; at the end of the run without one")
    block: Duration | None = Field(None, description="with a link: how long the photons of one block take")
    every: Duration | None = Field(
        None, description="from one block to the next; without a pause where not given"
    )
    secrecy: Chance = Field(1e-9, description="failure probability of secrecy asked of each block")
    correctness: Chance = Field(1e-12, description="failure probability of correctness asked of each block")
    watch: tuple[Literal["self_test", "back_light", "timing"], ...] = Field(
        ("self_test", "back_light", "timing"),
        max_length=3,
        examples=[["self_test", "timing"]],
        description="what the ends have built in against attacks",
    )
    note: Text | None = None

    @field_validator("destination")
    @classmethod
    def _another_node(cls, value: str, info: Any) -> str:
        if value == info.data.get("source"):
            raise InputError(found=quoted(value), expected="another node than 'from'")
        return value

    @model_validator(mode="after")
    def _times_follow(self) -> QkdEntry:
        self._whole_kind()
        self._station_fits()
        memories = self.link is None and self.station is None
        if memories and (self.protocol == "bb84" or self.every is not None):
            found = "every without link" if self.every is not None else "bb84 without link"
            raise InputError(found=found, expected="bbm92, e91 or six_state over pairs, block after block")
        if self.fidelity is not None and not 0.5 < parse(self.fidelity, "fraction") < 1.0:
            raise InputError(found=quoted(self.fidelity), expected="fidelity: in (0.5, 1)")
        if not 0.0 < parse(self.key_basis, "fraction") < 1.0:
            raise InputError(found=quoted(self.key_basis), expected="key_basis: a fraction in (0, 1)")
        if (
            self.every is not None
            and self.block is not None
            and parse_time(self.every) < parse_time(self.block)
        ):
            raise InputError(found=quoted(self.every), expected=f"every: at least the block, {self.block}")
        if self.until is not None and parse_time(self.until) <= parse_time(self.start or "0 s"):
            raise InputError(found=quoted(self.until), expected="until: a time after start")
        return self

    def _whole_kind(self) -> None:
        """Photons over a link, photons over a station, or pairs from memories: all that one kind wants and nothing of the others."""
        kinds = (("link", "block"), ("station", "block"), ("pairs", "fidelity"))
        wanted = kinds[0] if self.link is not None else kinds[1] if self.station is not None else kinds[2]
        missing = [name for name in wanted if getattr(self, name) is None]
        every = dict.fromkeys(name for kind in kinds for name in kind)
        foreign = [name for name in every if name not in wanted and getattr(self, name) is not None]
        if missing or foreign:
            raise InputError(
                found=", ".join([*(f"no {name}" for name in missing), *foreign]),
                expected="link and block (photons), station and block (mdi, twin_field), "
                "or pairs and fidelity (memories)",
            )

    def _station_fits(self) -> None:
        """A station goes with the protocols that have one, and the numbers of a phase with the one that wants them."""
        if (self.protocol in STATION_PROTOCOLS) is not (self.station is not None):
            found = f"{self.protocol} {'with' if self.station is not None else 'without'} station"
            raise InputError(found=found, expected="station with mdi and twin_field, and with these only")
        if self.station in (self.source, self.destination):
            raise InputError(found=quoted(self.station), expected="station: another node than both ends")
        if self.protocol == "twin_field":
            return
        for name in ("intensity", "phase_error", "phase_drift", "lock"):
            if getattr(self, name) is not None:
                raise InputError(found=f"{name} of {self.protocol}", expected=f"{name}: with twin_field only")


class AttackEntry(Entry):
    """One thing that an eavesdropper does for some time."""

    kind: Literal[
        "intercept_resend", "photon_number_splitting", "blinding", "time_shift", "trojan_horse", "denial_of_service",
        "man_in_the_middle", "replay", "compromised_node", "false_announcement", "invented_clicks",
    ] = Field(description="what is done")  # fmt: skip
    link: Name | None = Field(None, description="on this quantum channel")
    session: Name | None = Field(None, description="on the classical channel of this QKD session")
    node: Name | None = Field(None, description="at this node")
    at: Delay = Field(description="at: when it begins")
    until: Delay | None = Field(None, description="when it ends; at the end of the run without one")
    fraction: Share | None = Field(
        None, description="of the pulses, pairs, light or messages; all without one"
    )
    photons: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] | None = Field(
        None, description="trojan_horse: photons that come back for each pulse"
    )
    mismatch: Share | None = Field(
        None, description="time_shift: efficiency of the worse detector over the better one"
    )
    note: Text | None = None

    @model_validator(mode="after")
    def _whole(self) -> AttackEntry:
        targets = TARGETS[self.kind]
        given = [name for name in ("link", "session", "node") if getattr(self, name) is not None]
        if len(given) != 1 or given[0] not in targets:
            found = " beside ".join(given) or f"{self.kind} without a target"
            raise InputError(found=found, expected=f"{self.kind}: {' or '.join(targets)}, and nothing else")
        self.attack()
        if self.until is not None and parse_time(self.until) <= parse_time(self.at):
            raise InputError(found=quoted(self.until), expected="until: a time after at")
        return self

    def attack(self) -> Attack:
        """The attack itself.

        Raises:
            InputError: a number that this attack does not have, or one outside its domain.
        """
        kind = ATTACKS[self.kind]
        given = {
            name: parse(value, "fraction")
            for name in _PARAMETERS
            if (value := getattr(self, name)) is not None
        }
        known = [name for name in _PARAMETERS if name in getattr(kind, "__dataclass_fields__", {})]
        for name in given:
            if name not in known:
                raise InputError(
                    found=f"{name} of {self.kind}", expected=f"{' or '.join(known) or 'no number'}"
                )
        try:
            if kind is Jamming:
                return Jamming("quantum" if self.link is not None else "classical", **given)
            made: Attack = kind(**given)
        except QuantityError as error:
            raise InputError(found=f"{error.where} {error.found}", expected=error.expected) from None
        return made


@dataclass(frozen=True, slots=True)
class QkdSpec:
    """A QKD session in base units.

    Attributes:
        name: of the session.
        source, destination: nodes.
        link: name of the link; None for pairs from memories, over any path, and with a station.
        protocol: one of `PROTOCOLS`.
        key_basis: chance of the key basis.
        start, until, block, every: ps.
        secrecy, correctness: asked of each block.
        watch: what the ends have built in.
        pairs, fidelity: of a block from memories; 0 with a link or a station.
        station: node between the ends; None without one.
        intensity: twin field: mean photons of a pulse that carries key.
        phase_error, phase_drift: twin field: rms, rad: after a lock, and until the next one.
        lock: twin field: from one lock to the next, ps.
    """

    name: str
    source: str
    destination: str
    link: str | None
    protocol: str
    key_basis: float
    start: Time
    until: Time
    block: Time
    every: Time
    secrecy: float
    correctness: float
    watch: Watch
    pairs: int = 0
    fidelity: float = 0.0
    station: str | None = None
    intensity: float = 0.018
    phase_error: float = 0.0
    phase_drift: float = 0.0
    lock: Time = MS

    @property
    def over_memories(self) -> bool:
        """Whether it takes pairs from memories, over whatever path there is."""
        return self.link is None and self.station is None


@dataclass(frozen=True, slots=True)
class AttackSpec:
    """An attack in base units.

    Attributes:
        attack: what is done.
        kind: its name.
        target: ``link``, ``session`` or ``node``.
        on: its name.
        at, until: ps.
    """

    attack: Attack
    kind: str
    target: str
    on: str
    at: Time
    until: Time


def session_of(entry: QkdEntry, duration: Time) -> QkdSpec:
    """A session in base units.

    Args:
        entry: as written.
        duration: of the run, ps.
    """
    built = set(entry.watch)
    plain = Watch()
    watch = Watch(
        self_test=plain.self_test if "self_test" in built else 0.0,
        back_light=plain.back_light if "back_light" in built else 0.0,
        timing="timing" in built,
    )
    block = parse_time(entry.block) if entry.block is not None else 0
    return QkdSpec(
        entry.name, entry.source, entry.destination, entry.link, entry.protocol,
        parse(entry.key_basis, "fraction"),
        parse_time(entry.start or "0 s"),
        min(parse_time(entry.until), duration) if entry.until is not None else duration,
        block,
        parse_time(entry.every) if entry.every is not None else block,
        entry.secrecy, entry.correctness, watch,
        entry.pairs or 0, parse(entry.fidelity, "fraction") if entry.fidelity is not None else 0.0,
        entry.station,
        entry.intensity if entry.intensity is not None else 0.018,
        parse(entry.phase_error or "5 deg", "angle"),
        parse(entry.phase_drift or "0 deg", "angle"),
        parse_time(entry.lock or "1 ms"),
    )  # fmt: skip


def attack_of(entry: AttackEntry, duration: Time) -> AttackSpec:
    """An attack in base units.

    Args:
        entry: as written.
        duration: of the run, ps.
    """
    target, on = next(
        (name, value) for name in ("link", "session", "node") if (value := getattr(entry, name)) is not None
    )
    until = min(parse_time(entry.until), duration) if entry.until is not None else duration
    return AttackSpec(entry.attack(), entry.kind, target, on, parse_time(entry.at), until)
