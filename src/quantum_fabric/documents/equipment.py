"""Which device stands where: sheets looked up, overrides applied, each fault reported where it was written.

The order of precedence, from weak to strong: the hardware profile, the document's ``defaults``, the sheet that an entry
names, its overrides, and its own fields (``slots``, ``attenuation``). Overrides belong to the sheet beside which they
stand: an entry that names another sheet starts from that sheet as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from quantum_fabric import devices, links
from quantum_fabric.devices import Carrier, Converter, Detector, Fibre, Node, Station, Switch, Transducer
from quantum_fabric.documents.findings import Report, nearest
from quantum_fabric.documents.fitting import is_one, kind_of, one_of, sources_of
from quantum_fabric.documents.network_document import Choice, Defaults, LinkDocument, NodeEntry
from quantum_fabric.documents.reading import Place, quoted
from quantum_fabric.documents.sheet_files import Own, kinds_of
from quantum_fabric.documents.upkeep import CalibrationEntry, DriftEntry
from quantum_fabric.errors import InputError, QuantityError
from quantum_fabric.links.parts import Light
from quantum_fabric.units import parse

DEFAULT_PROFILE: Final = "today"
Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Switched:
    """What optical switches do to the light of a link.

    Attributes:
        losses: dB in the arm at each end.
        leaks: photons per s of their other paths that get into each arm.
    """

    losses: tuple[float, float]
    leaks: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Equipment:
    """The devices that hold where an entry does not say otherwise.

    Attributes:
        node, fibre, detector: of the profile, or of the document's defaults.
        carrier: the way of the light; the fibre unless the defaults say otherwise.
        source: None where nothing names one.
        architecture: of links.
        modes: of links.
        slots: of nodes; None for what the sheet says.
        relays: of nodes.
        own: sheets that the document carries with it.
        drift: how links wander; None where they do not.
        calibration: when links are calibrated; None where nobody does.
    """

    node: Node
    fibre: Fibre
    carrier: Carrier
    detector: Detector
    source: Light | None
    architecture: str
    modes: int
    slots: int | None
    relays: bool
    own: Own = field(default_factory=dict)
    drift: DriftEntry | None = None
    calibration: CalibrationEntry | None = None

    def node_of(self, entry: NodeEntry, place: Place, report: Report) -> Node | None:
        """The device of one node, None where it is at fault."""
        choice = Choice(sheet=entry.sheet, overrides=entry.overrides)
        node = chosen("node", choice, self.node, place, report, self.own)
        slots = entry.slots or (self.slots if "slots" not in entry.overrides else None)
        return replace(node, slots=slots) if node and slots else node

    def transducer_of(self, entry: NodeEntry, place: Place, report: Report) -> Transducer | None:
        """The transducer of one node, None where it has none."""
        return chosen("transducer", entry.transducer, None, (*place, "transducer"), report, self.own)

    def converter_of(self, entry: NodeEntry, place: Place, report: Report) -> Converter | None:
        """The wavelength converter of one node, None where it has none."""
        return chosen("converter", entry.converter, None, (*place, "converter"), report, self.own)

    def carrier_of(self, entry: LinkDocument, place: Place, report: Report) -> Carrier | None:
        """The fibre (or path through air or space) of one link, without what was measured of its total loss."""
        way: Carrier | None
        if entry.fibre is not None:
            way = chosen("fibre", entry.fibre, self.fibre, (*place, "fibre"), report, self.own)
        else:
            way = chosen("carrier", entry.carrier, self.carrier, (*place, "carrier"), report, self.own)
        if way is None:
            return None
        if not isinstance(way, Fibre):
            return way if _only_its_own_loss(entry, place, report) else None
        if entry.attenuation is not None:
            way = replace(way, attenuation=parse(entry.attenuation, "attenuation"))
        if entry.fixed_loss is not None:
            way = replace(way, fixed_loss=parse(entry.fixed_loss, "loss"))
        return way

    def switches_of(self, entry: LinkDocument, place: Place, report: Report) -> Switched | None:
        """What the optical switches in both arms of one link do to its light; None where one is at fault."""
        losses, leaks = [0.0, 0.0], [0.0, 0.0]
        sound = True
        for arm, end in enumerate(entry.between):
            for number, choice in enumerate(entry.switches.get(end, ())):
                switch: Switch | None = chosen(
                    "switch", choice, None, (*place, "switches", end, number), report, self.own
                )
                if switch is None:
                    sound = False
                    continue
                losses[arm] += switch.loss()
                leaks[arm] += switch.leak(parse(choice.beside or "0 Hz", "frequency"))
        return Switched((losses[0], losses[1]), (leaks[0], leaks[1])) if sound else None

    def detector_of(self, entry: LinkDocument, place: Place, report: Report) -> Detector | None:
        """The detectors at one link's station."""
        choice = entry.station.detector if entry.station else None
        return chosen("detector", choice, self.detector, (*place, "station", "detector"), report, self.own)

    def station_of(self, entry: LinkDocument, place: Place, report: Report) -> Station | None:
        """The station of one link; a perfect one where none is named, None where it is at fault."""
        plain = Station()
        if entry.station is None or (entry.station.sheet is None and not entry.station.overrides):
            return plain
        place = (*place, "station")
        choice = Choice(sheet=entry.station.sheet, overrides=entry.station.overrides)
        station = chosen("station", choice, plain, place, report, self.own)
        if station is None or (station.measurement, station.success) == (plain.measurement, plain.success):
            return station
        found = f"a {station.measurement} station of success {station.success:g}"
        expected = "a linear-optics station of success 0.5, which is what links are calculated with"
        report((*place, "sheet" if entry.station.sheet else "overrides"), found, expected)
        return None

    def source_of(
        self, entry: LinkDocument, architecture: str, place: Place, report: Report
    ) -> tuple[Light | None, bool]:
        """The source of one link and whether all is well: None for architectures that have none.

        A default is passed on to those links alone that can use it; what a link names itself has to fit.
        """
        kinds = sources_of(architecture)
        here = (*place, "source")
        if entry.source is None:
            if not kinds or is_one(self.source, kinds):
                return (self.source if kinds else None), True
            report(here, "nothing", f"source: {one_of(kinds)}, which {architecture} needs")
            return None, False
        base: Any = self.source if is_one(self.source, kinds) else None
        source: Light | None = chosen("source", entry.source, base, here, report, self.own)
        if source is not None and not is_one(source, kinds):
            found = one_of((kind_of(source),)) if kinds else f"a source, which {architecture} has not"
            wanted = f"{one_of(kinds)}, which is what {architecture} takes" if kinds else "no source"
            report(here, found, wanted)
            return None, False
        return source, source is not None


def _only_its_own_loss(entry: LinkDocument, place: Place, report: Report) -> bool:
    """Report what is said of the loss of a path that is no fibre: its sheet says it all."""
    given = {
        "attenuation": entry.attenuation,
        "fixed_loss": entry.fixed_loss,
        "loss": entry.loss,
        "station.losses": entry.station.losses if entry.station else None,
    }
    wrong = [name for name, value in given.items() if value is not None]
    for name in wrong:
        expected = "a fibre, or no such field: the sheet of a path through air or space says what is lost"
        report((*place, *name.split(".")), f"{name} of a path that is no fibre", expected)
    return not wrong


def equipment(defaults: Defaults, report: Report, own: Own | None = None) -> Equipment | None:
    """Work out the default devices.

    Args:
        defaults: of the document.
        report: told of unknown sheets and wrong overrides.
        own: sheets that the document carries with it.

    Returns:
        None where something is at fault.

    Examples:
        >>> from quantum_fabric.documents.network_document import Defaults
        >>> equipment(Defaults(profile="today"), print).modes
        1
    """
    own = own or {}
    name = defaults.profile or DEFAULT_PROFILE
    place: Place = ("defaults",)
    if name not in devices.sheets("profile"):
        expected = nearest("a hardware profile", name, devices.sheets("profile"))
        report((*place, "profile"), quoted(name), expected)
        return None
    profile = devices.sheet("profile", name)

    def default(kind: str, choice: Choice | None, base: Any) -> Any:
        return chosen(kind, choice, base, (*place, kind), report, own)

    node = default("node", defaults.node, devices.sheet("node", profile.node))
    fibre = default("fibre", defaults.fibre, devices.sheet("fibre", profile.fibre))
    carrier = default("carrier", defaults.carrier, fibre)
    detector = default("detector", defaults.detector, devices.sheet("detector", profile.detector))
    shared = devices.sheet("source", profile.source) if profile.source else None
    source = default("source", defaults.source, shared)
    architecture = known_architecture(defaults.architecture or profile.architecture, place, report)
    if node is None or fibre is None or carrier is None or detector is None or architecture is None:
        return None
    if defaults.source is not None and source is None:
        return None
    relays = defaults.node.relays if defaults.node else None
    return Equipment(
        node,
        fibre,
        carrier,
        detector,
        source,
        architecture,
        defaults.modes or profile.modes,
        defaults.node.slots if defaults.node else None,
        True if relays is None else relays,
        own,
        defaults.drift,
        defaults.calibration,
    )


def known_architecture(name: str, place: Place, report: Report) -> str | None:
    """Check the name of a link architecture.

    Args:
        name: as written.
        place: of the record in which it stands.
        report: told of an unknown one.

    Returns:
        The name; None for an unknown one.

    Examples:
        >>> told = []
        >>> known_architecture("double-click", ("links", 0), lambda *fault: told.append(fault)) is None
        True
        >>> told[0][2].partition(":")[0]
        "an architecture (did you mean 'double_click'?)"
    """
    if name in links.CATALOGUE:
        return name
    report((*place, "architecture"), quoted(name), nearest("an architecture", name, links.CATALOGUE))
    return None


def chosen(
    kind: str,
    choice: Choice | None,
    default: Record | None,
    place: Place,
    report: Report,
    own: Own | None = None,
) -> Record | None:
    """The device that a choice stands for.

    Args:
        kind: of sheet.
        choice: what the document says; None for the default device.
        default: the device where the choice names no sheet.
        place: of the choice.
        report: told of an unknown sheet and of each override that is wrong.
        own: sheets that the document carries with it.

    Returns:
        The device; None where something is at fault (or there is no default).

    Examples:
        >>> from quantum_fabric.documents.network_document import Choice
        >>> chosen("node", Choice(sheet="ideal", overrides={"memory.t2": "3"}), None, ("nodes", 0), print)
        ('nodes', 0, 'overrides', 'memory.t2') '3' a time such as '10 ms' (units: ps, ns, us, µs, μs, ms, s, min, h, d)
    """
    if choice is None:
        return default
    record: Any = default
    if choice.sheet is not None:
        record = _looked_up(kind, choice.sheet, (*place, "sheet"), report, own or {})
        if record is None:
            return None
    if record is None:
        found = "overrides without a sheet" if choice.overrides else "no sheet"
        report(place, found, f"sheet: the name of a {kind} sheet")
        return None
    if not choice.overrides:
        return record  # type: ignore[no-any-return]
    return _overridden(record, choice.overrides, (*place, "overrides"), report)  # type: ignore[no-any-return]


def _looked_up(field: str, name: str, place: Place, report: Report, own: Own) -> Any:
    """The device of a sheet by its name, by KIND/NAME or by its path; None where there is none, which is reported."""
    kinds = kinds_of(field)
    if name in own:
        if own[name].kind in kinds:
            return own[name].record
        report(place, f"{quoted(name)}, which is a {own[name].kind} sheet", f"a {field} sheet")
        return None
    kind, _, rest = name.partition("/")
    if kind in kinds and rest in devices.sheets(kind):
        return devices.sheet(kind, rest)
    for kind in kinds:
        if name in devices.sheets(kind):
            return devices.sheet(kind, name)
    known = [one if kind == field else f"{kind}/{one}" for kind in kinds for one in devices.sheets(kind)]
    report(place, quoted(name), nearest(f"a {field} sheet", name, known))
    return None


def _overridden(record: Any, overrides: Mapping[str, Any], place: Place, report: Report) -> Any:
    """Apply overrides; where some are wrong, report each of them and return None."""
    left = dict(overrides)
    sound = True
    while True:
        try:
            changed = devices.override(record, left)
        except QuantityError as error:
            where = _written(left, error.where)
            if where or sound:  # else it comes of a field that was taken out
                report((*place, *where), error.found, error.expected)
            sound = False
            if not _drop(left, where, error.where):
                return None
        else:
            return changed if sound else None


def _written(overrides: Mapping[str, Any], name: str) -> Place:
    """Where the field with this dotted name was written: as one key, or as mappings in each other."""
    if name in overrides:
        return (name,)
    head, _, rest = name.partition(".")
    inner = overrides.get(head)
    way = _written(inner, rest) if rest and isinstance(inner, Mapping) else ()
    return (head, *way) if way else ()


def _drop(overrides: dict[str, Any], where: Place, name: str) -> bool:
    """Take out the field at this place, or (where it was not written) all of the record inside that it belongs to.

    Returns:
        False where there is nothing to take out.
    """
    *way, last = map(str, where) if where else (name.partition(".")[0],)
    here = overrides
    for part in way:
        here[part] = dict(here[part])
        here = here[part]
    doomed = [last] if where else [key for key in here if key.partition(".")[0] == last]
    for key in doomed:
        del here[key]
    return bool(doomed)


def attempt(make: Callable[[], Record], place: Place, report: Report) -> Record | None:
    """Make something, or report why it cannot be made.

    Examples:
        >>> attempt(lambda: parse("3 parsec", "length"), ("links", 0), print) is None
        ('links', 0) '3 parsec' a length such as '25 km' (units: nm, um, µm, mm, cm, m, km)
        True
    """
    try:
        return make()
    except InputError as error:
        expected = f"{error.expected} ({error.where})" if error.where else error.expected
        report(place, error.found, expected)
        return None
