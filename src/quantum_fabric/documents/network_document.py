"""The network document: what a plant consists of, as its owner writes it down.

The records here are the *form* of a document; what it means (sheets looked up, overrides applied, fibres composed into
links, delays filled in) is worked out in `quantum_fabric.documents.assembly`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from quantum_fabric.documents.fields import (
    Angle,
    Attenuation,
    Coordinate,
    Count,
    Degrees,
    Delay,
    Entry,
    Flag,
    Length,
    Loss,
    Name,
    Offset,
    Pair,
    Rate,
    SheetName,
    Span,
    Text,
)
from quantum_fabric.documents.reading import quoted
from quantum_fabric.documents.station_document import SharedStationEntry
from quantum_fabric.documents.upkeep import CalibrationEntry, DriftEntry, drift_field
from quantum_fabric.errors import InputError
from quantum_fabric.units import parse

Overrides = Annotated[
    dict[str, Any],
    Field(description="fields of the sheet with other values, such as {memory.t2: 10 ms}"),
]


Sheets = Annotated[
    dict[str, dict[str, Any]],
    Field(
        description="data sheets of its own: path -> what the file says (filled in where a sheet is named by its path)"
    ),
]


def _either(fibre: Choice | None, carrier: Choice | None) -> None:
    if fibre is not None and carrier is not None:
        raise InputError(found="fibre beside carrier", expected="one of them: a fibre is a carrier too")


class Provenance(Entry):
    """Where numbers come from, and how far they can be trusted."""

    what: Text = Field(description="which numbers")
    source: Text = Field(description="where they were found, or how they were made")
    standing: Literal["primary", "secondary", "recalled", "computed", "assumed"] = Field(
        description="primary (the source itself), secondary (quoted elsewhere), recalled (unverified), computed or assumed"
    )


class Choice(Entry):
    """A device: the name of a sheet, and what differs from it. A bare name is short for ``{sheet: NAME}``."""

    sheet: SheetName | None = Field(
        None, description="name of a device sheet, or the path of a file with one"
    )
    overrides: Overrides = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"sheet": value} if isinstance(value, str) else value


class NodeDefaults(Choice):
    """The device of every node that does not say otherwise."""

    slots: Count | None = Field(None, description="memory slots of each node")
    relays: Flag | None = Field(None, description="false: nodes may only be ends of a path")


class Defaults(Entry):
    """What holds where a node or a link does not say otherwise."""

    profile: Name | None = Field(None, description="hardware profile")
    node: NodeDefaults | None = Field(None, description="sheet and overrides of the nodes")
    fibre: Choice | None = Field(None, description="sheet and overrides of the fibres")
    carrier: Choice | None = Field(
        None, description="instead of fibre: the way of the light, KIND/NAME such as free_space/rooftop"
    )
    detector: Choice | None = Field(None, description="sheet and overrides of the detectors")
    source: Choice | None = Field(
        None, description="source of the links that have one: NAME, or KIND/NAME such as pair_source/micius"
    )
    architecture: Name | None = Field(None, description="how links make entanglement, such as single_click")
    modes: Count | None = Field(None, description="time-multiplexed modes of a link")
    drift: DriftEntry | None = drift_field(
        "how links wander out of alignment; without it they are held in it"
    )
    calibration: CalibrationEntry | None = Field(None, description="when links are calibrated")

    @model_validator(mode="after")
    def _one_carrier(self) -> Defaults:
        _either(self.fibre, self.carrier)
        return self


class Position(Entry):
    """Where a node is: longitude and latitude in degrees, or x and y with a unit."""

    lon: Degrees | None = Field(None, ge=-180, le=180, description="degrees east")
    lat: Degrees | None = Field(None, ge=-90, le=90, description="degrees north")
    x: Coordinate | None = None
    y: Coordinate | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Position:
        given = {name for name in ("lon", "lat", "x", "y") if getattr(self, name) is not None}
        if given not in ({"lon", "lat"}, {"x", "y"}):
            found = ", ".join(sorted(given)) or "nothing"
            raise InputError(found=found, expected="lon and lat (degrees), or x and y (lengths)")
        return self


class Trust(Entry):
    """Whose a node is and whether keys may pass it in the clear, as its owner declares. Nothing is taken for granted."""

    operator: Name | None = Field(None, description="who runs it and can see what is inside")
    trusted: Flag | None = Field(
        None, description="true: it may see keys that it relays; false: no key is relayed through it"
    )
    domain: Name | None = Field(None, description="security domain, such as a country or a company")


class NodeEntry(Entry):
    """One node of the network."""

    name: Name = Field(description="a name, unique in the network")
    sheet: SheetName | None = Field(
        None, description="node sheet, or the path of a file with one, where it is not the default one"
    )
    overrides: Overrides = Field(default_factory=dict)
    slots: Count | None = Field(None, description="memory slots")
    transducer: Choice | None = Field(
        None, description="what makes optical photons of the microwave photons of a superconducting node"
    )
    converter: Choice | None = Field(
        None, description="what changes the wavelength of its photons on their way into the fibre"
    )
    relays: Flag | None = Field(None, description="false: the node may only be an end of a path")
    trust: Trust | None = Field(None, description="whose it is, and whether it may see keys that it relays")
    position: Position | None = None
    note: Text | None = None


class Station(Entry):
    """The heralding station (or midpoint source) of a link. Without one it stands in the middle.

    The bare name of a shared station is short for ``{shared: NAME}``.
    """

    shared: Name | None = Field(
        None, description="a station of `stations`, whose analysers it shares with other links"
    )
    arms: tuple[Span, Span] | None = Field(
        None,
        description="way from each end to the station; 0 m where it stands at that end",
        examples=[["15 km", "10 km"]],
    )
    losses: tuple[Loss, Loss] | None = Field(
        None, description="total loss of each arm", examples=[["5.6 dB", "5.2 dB"]]
    )
    sheet: SheetName | None = Field(
        None, description="station sheet, or the path of a file with one: its loss and its beam splitter"
    )
    overrides: Overrides = Field(default_factory=dict)
    detector: Choice | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"shared": value} if isinstance(value, str) else value


class Overhead(Entry):
    """Where a satellite stands at the moment that a link is looked at; its altitude is that of the carrier."""

    lon: Degrees = Field(ge=-180, le=180, description="degrees east of the place below it")
    lat: Degrees = Field(ge=-90, le=90, description="degrees north of the place below it")
    inclination: Angle | None = Field(
        None, description="of its orbit, for a moment before or after it stood there", examples=["97.3 deg"]
    )
    heading: Literal["north", "south"] = Field("north", description="which way it was flying over that place")
    after: Offset | None = Field(
        None, description="time since it stood over that place; negative before", examples=["40 s"]
    )

    @model_validator(mode="after")
    def _an_orbit(self) -> Overhead:
        if (self.inclination is None) != (self.after is None):
            found = "after" if self.inclination is None else "inclination"
            raise InputError(found=f"{found} alone", expected="inclination and after, or neither")
        return self


Elevations = Annotated[
    tuple[Angle, ...],
    Field(
        min_length=1,
        max_length=2,
        description="elevation of the satellite seen from each station, in the order of between",
        examples=[["35 deg", "41 deg"]],
    ),
]


class Switch(Choice):
    """An optical switch in the arm of a link: the name of a sheet, or a mapping."""

    beside: Rate | None = Field(
        None,
        description="photons per second on its other path, of which some leak in; counted as if it stood before the detectors",
    )


Switches = Annotated[
    dict[Name, tuple[Switch, ...]],
    Field(
        description="optical switches in the arm of the link at an end: {Alice: [mems], Bob: [mems, mems]}"
    ),
]


class LinkDocument(Entry):
    """One link: a way for light between two nodes and what makes entanglement over it."""

    name: Name | None = Field(None, description="a name, unique in the network; 'A~B' without one")
    between: Pair
    length: Length | None = Field(None, description="length of the fibre; the sum of the arms without one")
    elevations: Elevations | None = None
    overhead: Overhead | None = Field(
        None, description="where the satellite stands; the stations need positions in degrees"
    )
    fibre: Choice | None = Field(None, description="fibre sheet and overrides")
    carrier: Choice | None = Field(
        None,
        description="instead of fibre: free_space/NAME, satellite/NAME (down), uplink/NAME, or the path of such a sheet",
    )
    attenuation: Attenuation | None = Field(None, description="attenuation of the fibre")
    fixed_loss: Loss | None = Field(
        None, description="loss of connectors on each stretch: the fibre, or each arm of it"
    )
    loss: Loss | None = Field(
        None, description="measured total loss of the fibre, instead of attenuation and fixed_loss"
    )
    station: Station | None = None
    architecture: Name | None = Field(None, description="how it makes entanglement")
    modes: Count | None = Field(None, description="time-multiplexed modes")
    frequency_modes: Count | None = Field(None, description="colours that are tried side by side")
    space_modes: Count | None = Field(None, description="paths that are tried side by side")
    source: Choice | None = Field(
        None,
        description="source of light: NAME of pairs for memories, pair_source/NAME, emitter/NAME or weak_pulse/NAME",
    )
    switches: Switches = Field(default_factory=dict)
    drift: DriftEntry | None = drift_field("how it wanders out of alignment, instead of defaults.drift")
    calibration: CalibrationEntry | None = Field(
        None, description="when it is calibrated, instead of defaults.calibration"
    )
    note: Text | None = None

    @property
    def label(self) -> str:
        """Its name, given or by its ends."""
        return self.name or f"{self.between[0]}~{self.between[1]}"

    @model_validator(mode="after")
    def _complete(self) -> LinkDocument:
        losses = self.station.losses if self.station else None
        self._a_length()
        _either(self.fibre, self.carrier)
        ways = {
            "attenuation": self.attenuation,
            "fixed_loss": self.fixed_loss,
            "loss": self.loss,
            "station.losses": losses,
        }
        given = [name for name, value in ways.items() if value is not None]
        if len(given) > 1 and given != ["attenuation", "fixed_loss"]:
            expected = "loss alone, station.losses alone, or attenuation and fixed_loss"
            raise InputError(found=" beside ".join(given), expected=expected)
        return self

    def _a_length(self) -> None:
        arms = self.station.arms if self.station else None
        seen = [name for name in ("elevations", "overhead") if getattr(self, name) is not None]
        others = [
            name for name, value in (("length", self.length), ("station.arms", arms)) if value is not None
        ]
        if not seen and not others:
            raise InputError(
                found="nothing", expected="length: a length above 0 such as '25 km' (or station.arms)"
            )
        if len(seen + others) > 1 and seen:
            expected = "one of them: a satellite's distance follows from where it stands"
            raise InputError(found=" beside ".join(seen + others), expected=expected)
        if arms is not None and sum(parse(arm, "length") for arm in arms) <= 0.0:
            raise InputError(found="station.arms of 0 m and 0 m", expected="arms that are together above 0 m")
        for name in self.switches:
            if name not in self.between:
                expected = f"switches of {self.between[0]} or {self.between[1]}, the ends of the link"
                raise InputError(found=f"switches of {quoted(name)}", expected=expected)


class ClassicalEntry(Entry):
    """How long classical messages take between two nodes, where it is not the light time of the fibres."""

    between: Pair
    delay: Delay | None = Field(None, description="one way")
    round_trip: Delay | None = Field(None, description="there and back")
    note: Text | None = None

    @model_validator(mode="after")
    def _one_way(self) -> ClassicalEntry:
        if (self.delay is None) == (self.round_trip is None):
            found = "neither delay nor round_trip" if self.delay is None else "delay beside round_trip"
            raise InputError(found=found, expected="one of delay and round_trip")
        return self


class NetworkDocument(Entry):
    """A network as its owner writes it down.

    Made by `quantum_fabric.documents.load_network`, `network_from` (from JSON-shaped data) or `chain`. A document made by
    these is sound: names are unique and known, sheets exist, every value is in its domain.

    Examples:
        >>> from quantum_fabric.documents import load_network, network_from
        >>> chicago = load_network("chicago")
        >>> chicago.title, len(chicago.nodes), chicago.links[0].label, chicago.links[0].length
        ('Chicago metropolitan network', 9, 'NU~StarLight', '20 km')
        >>> network_from(chicago.plain()) == chicago
        True
    """

    kind: Literal["network"]
    version: Literal[1]
    title: Text = Field("", description="one line for people")
    description: Text = Field("", description="what it is, and what of it is assumed")
    provenance: tuple[Provenance, ...] = Field((), description="where the numbers come from")
    sheets: Sheets = Field(default_factory=dict)
    defaults: Defaults = Field(default_factory=Defaults)  # type: ignore[arg-type]
    nodes: tuple[NodeEntry, ...] = Field(description="a list of nodes")
    links: tuple[LinkDocument, ...] = Field((), description="a list of links")
    stations: tuple[SharedStationEntry, ...] = Field(
        (), description="heralding stations that several links share"
    )
    classical: tuple[ClassicalEntry, ...] = Field((), description="measured delays of the classical network")
    controller: Name | None = Field(
        None,
        description="node where the controller sits; without one, the node that is nearest to all others",
    )
    states: Literal["bell-diagonal", "exact", "auto"] = Field(
        "bell-diagonal",
        description="how the states of pairs are kept: as mixtures of Bell states; as density matrices, exact and slower; "
        "or each as what it is, exact",
    )

    @model_validator(mode="before")
    @classmethod
    def _a_mapping(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise InputError(found=quoted(value), expected="a mapping that starts with 'kind: network'")
        return value

    @field_validator("nodes")
    @classmethod
    def _some_nodes(cls, value: tuple[NodeEntry, ...]) -> tuple[NodeEntry, ...]:
        if not value:
            raise InputError(found="an empty list", expected="at least one node")
        return value
