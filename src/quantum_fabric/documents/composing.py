"""From the entry of a link to the link: its parts looked up, checked against each other, and put together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from quantum_fabric import links
from quantum_fabric.devices import Carrier, Fibre, Node, SatellitePath, Station
from quantum_fabric.documents.equipment import Equipment, attempt, known_architecture
from quantum_fabric.documents.findings import Report
from quantum_fabric.documents.fitting import fits, kind_of, one_of
from quantum_fabric.documents.network_document import LinkDocument
from quantum_fabric.documents.reading import Place
from quantum_fabric.documents.sky import Positions, ranges
from quantum_fabric.documents.upkeep import upkeep
from quantum_fabric.errors import Caution
from quantum_fabric.links.model import LinkModel
from quantum_fabric.links.upkeep import NO_UPKEEP, Upkeep, wander
from quantum_fabric.units import SECOND, Time, parse, show

ONE_STRETCH: Final = ("sender_receiver", "serial_reflection", "direct_transmission")
"""Architectures whose light goes from one end to the other without a middle."""
TWO_PLACES: Final = ("pair_distribution", "satellite_double_downlink", "midpoint_source")
"""Architectures with detectors at both ends."""


@dataclass(frozen=True, slots=True)
class LinkEntry:
    """One link with everything worked out.

    Attributes:
        name: unique in the network.
        a, b: names of its ends.
        model: what makes the entanglement.
        length: of the fibre from end to end (m).
        light_time: one-way latency over it (ps).
        cautions: where the models of its parts are used outside their validity, whatever its setting.
        upkeep: how it drifts and is calibrated.
    """

    name: str
    a: str
    b: str
    model: LinkModel
    length: float
    light_time: Time
    cautions: tuple[Caution, ...] = ()
    upkeep: Upkeep = NO_UPKEEP

    @property
    def all_cautions(self) -> tuple[Caution, ...]:
        """Cautions of its parts and of its model at the setting of the data sheet, each once."""
        said = dict.fromkeys((*self.cautions, *self.model.heralding().cautions, *self.upkeep.cautions()))
        return tuple(replace(caution, where=f"{self.name}.{caution.where}") for caution in said)

    @property
    def pairs_per_second(self) -> float:
        """Heralds per second of one lane at the setting of the data sheet; where nothing is stored, coincidences."""
        point = self.model.heralding()
        return point.success * SECOND / point.period


def compose(
    entry: LinkDocument,
    ends: list[Node | None],
    kit: Equipment,
    positions: Positions,
    place: Place,
    report: Report,
) -> LinkEntry | None:
    """Make one link of what a document says of it.

    Ends at fault have been reported already; everything else is checked all the same.

    Args:
        entry: the link.
        ends: its nodes, None where one is at fault.
        kit: devices where nothing else is said.
        positions: of the nodes.
        place: of the entry.
        report: told of each fault.

    Returns:
        The link; None where something is at fault.

    Examples:
        >>> from quantum_fabric.devices import sheet
        >>> from quantum_fabric.documents.equipment import equipment
        >>> from quantum_fabric.documents.network_document import Defaults
        >>> kit = equipment(Defaults(profile="ideal"), print)
        >>> written, node = LinkDocument(between=("A", "B"), length="2 km", switches={"A": ("mems",)}), sheet("node", "ideal")
        >>> made = compose(written, [node, node], kit, {}, ("links", 0), print)
        >>> made.name, made.length, made.model.parts.extra_loss[0] == sheet("switch", "mems").insertion_loss
        ('A~B', 2000.0, True)
    """
    detector = kit.detector_of(entry, place, report)
    station = kit.station_of(entry, place, report)
    switches = kit.switches_of(entry, place, report)
    architecture = known_architecture(entry.architecture or kit.architecture, place, report)
    way = kit.carrier_of(entry, place, report)
    source, sound = None, True
    if architecture is not None:
        source, sound = kit.source_of(entry, architecture, place, report)
        if way is not None and not fits(way, architecture, place, report):
            way = None
    arms = _arms(entry, way, architecture, positions, place, report)
    a, b = ends
    if arms is None or way is None or detector is None or architecture is None or a is None or b is None:
        return None
    if station is None or switches is None or not sound:
        return None
    if station != Station():
        detector = replace(detector, efficiency=detector.efficiency * station.transmission)
        a, b = (_seen_through(node, station) for node in (a, b))
    stray = _stray(switches.leaks, architecture)
    if stray:
        detector = replace(detector, dark_rate=detector.dark_rate + 0.5 * detector.efficiency * stray)
    length = sum(arms)
    light_time = way.latency(length)
    losses = _losses(entry, arms)
    dark = replace(way, attenuation=0.0, fixed_loss=0.0) if losses and isinstance(way, Fibre) else way
    extra = losses or (0.0, 0.0)

    def made() -> LinkModel:
        model = links.build(
            architecture,
            a,
            b,
            dark,
            arms,
            detector,
            source,
            modes=entry.modes or kit.modes,
            extra_loss=(extra[0] + switches.losses[0], extra[1] + switches.losses[1]),
            frequency_modes=entry.frequency_modes or 1,
            space_modes=entry.space_modes or 1,
        )
        model.heralding()  # what only shows when it is asked is a fault of the document too
        return model

    model = attempt(made, place, report)
    if model is None:
        return None
    cautions = _cautions(way, arms, whole=architecture in ONE_STRETCH)
    moves = upkeep(
        entry.drift or kit.drift,
        entry.calibration or kit.calibration,
        wander(a, b, way, arms, detector, architecture),
    )
    first, second = entry.between
    return LinkEntry(entry.label, first, second, model, length, light_time, cautions, moves)


def _stray(leaks: tuple[float, float], architecture: str) -> float:
    """Photons per s that leak from other paths to one place with two detectors.

    Where both ends have their own, all are taken to be as badly off as the worse ones.
    """
    return max(leaks) if architecture in TWO_PLACES else sum(leaks)


def _cautions(way: Carrier, arms: tuple[float, float], *, whole: bool) -> tuple[Caution, ...]:
    """Where a carrier is used outside of what its model can say."""
    ask = getattr(way, "cautions", None)  # a fibre has nothing to say
    stretches = (sum(arms),) if whole else tuple(arm for arm in arms if arm > 0.0)
    found = [caution for stretch in stretches for caution in ask(stretch)] if ask is not None else []
    return tuple(dict.fromkeys(found))


def _seen_through(node: Node, station: Station) -> Node:
    """The node as a station sees it whose beam splitter is not balanced."""
    visibility = node.interface.visibility * station.contrast
    return replace(node, interface=replace(node.interface, visibility=visibility))


def _arms(
    entry: LinkDocument,
    way: Carrier | None,
    architecture: str | None,
    positions: Positions,
    place: Place,
    report: Report,
) -> tuple[float, float] | None:
    """Way from each end to the middle (m)."""
    if entry.elevations is not None or entry.overhead is not None:
        field = "elevations" if entry.elevations is not None else "overhead"
        if isinstance(way, SatellitePath):
            return ranges(entry, way, architecture not in ONE_STRETCH, positions, place, report)
        if way is not None:
            expected = "a length: only the way from or to a satellite follows from where it stands"
            report((*place, field), f"{field} of {one_of((kind_of(way),), 'path')}", expected)
        return None
    whole = parse(entry.length, "length") if entry.length is not None else None
    if entry.station is not None and entry.station.arms is not None:
        a, b = (parse(arm, "length") for arm in entry.station.arms)
        if whole is not None and abs(a + b - whole) > 1e-6 * whole:
            found = f"arms of {show(a, 'length')} and {show(b, 'length')}"
            report((*place, "station", "arms"), found, f"arms that add up to the length, {entry.length}")
            return None
        return a, b
    return (whole / 2, whole / 2) if whole is not None else None


def _losses(entry: LinkDocument, arms: tuple[float, float]) -> tuple[float, float] | None:
    """Measured loss of each arm (dB), None where it follows from the attenuation."""
    if entry.station is not None and entry.station.losses is not None:
        a, b = (parse(loss, "loss") for loss in entry.station.losses)
        return a, b
    if entry.loss is None:
        return None
    loss = parse(entry.loss, "loss")
    return loss * arms[0] / sum(arms), loss * arms[1] / sum(arms)
