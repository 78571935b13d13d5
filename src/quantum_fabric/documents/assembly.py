"""From a document to what it stands for: devices, links, delays, with every number in base units.

An `Inventory` is handed to the twin, where it is the truth, and (the same or another one) to the control plane, where it
is a belief.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from quantum_fabric.devices import Node, converted, transduced
from quantum_fabric.documents.composing import LinkEntry, compose
from quantum_fabric.documents.delays import Delays, parts
from quantum_fabric.documents.equipment import Equipment, attempt, equipment
from quantum_fabric.documents.findings import Findings, Report
from quantum_fabric.documents.network_document import (
    NetworkDocument,
    NodeEntry,
    Position,
)
from quantum_fabric.documents.reading import Place
from quantum_fabric.documents.references import Form, form_of
from quantum_fabric.documents.sharing import shared_stations
from quantum_fabric.documents.sheet_files import own_sheets
from quantum_fabric.errors import Caution
from quantum_fabric.links.hub import SharedStation
from quantum_fabric.network.topology import LinkView, NodeModel, Topology
from quantum_fabric.units import Time, parse, parse_time, show_time


@dataclass(frozen=True, slots=True)
class Inventory:
    """A network in base units.

    Attributes:
        nodes: name -> device.
        links: name -> link.
        delays: (from, to) -> one-way classical delay (ps), for each ordered pair of nodes.
        controller: name of the node where the controller sits.
        positions: name -> (longitude, latitude) in degrees or (x, y) in m, where the document says it.
        title: for people.
        relays: names of the nodes that may stand within a path.
        noted: name of a node -> where the models of its devices are used outside their validity.
        states: how the twin keeps the states of pairs: ``"bell-diagonal"``, ``"exact"`` or ``"auto"``.
        stations: name -> heralding station that several links share.

    Examples:
        >>> from quantum_fabric.documents import load_network
        >>> network = inventory(load_network("lab"))
        >>> network.controller, network.links["Alice~Bob"].length, network.delays["Alice", "Bob"]
        ('Alice', 2.0, 9793)
    """

    nodes: Mapping[str, Node]
    links: Mapping[str, LinkEntry]
    delays: Mapping[tuple[str, str], Time]
    controller: str
    positions: Mapping[str, tuple[float, float]]
    title: str
    relays: frozenset[str]
    noted: Mapping[str, tuple[Caution, ...]] = field(default_factory=dict)
    states: str = "bell-diagonal"
    stations: Mapping[str, SharedStation] = field(default_factory=dict)

    @property
    def cautions(self) -> tuple[Caution, ...]:
        """Where models are used outside of what they can say, at the settings of the data sheets; each thing once."""
        said = [replace(one, where=f"{name}.{one.where}") for name, row in self.noted.items() for one in row]
        for link in self.links.values():
            said += link.all_cautions
        return tuple(dict.fromkeys(said))


def inventory(document: NetworkDocument) -> Inventory:
    """Work out what a document stands for.

    Args:
        document: from `quantum_fabric.documents.load_network`, `network_from` or `chain`.

    Raises:
        DocumentError: a sheet that the document names is no longer there.
    """
    findings = Findings(document.title or "network")
    result = assemble(form_of(document), True, findings.report)
    findings.stop()
    assert result is not None, "assemble reports what it cannot make"
    return replace(result, states=document.states)


def topology(inventory: Inventory) -> Topology:
    """What planning believes of a network with this inventory.

    Examples:
        >>> from quantum_fabric.documents import load_network
        >>> topology(inventory(load_network("lab"))).neighbours("Alice")
        ('Bob',)
    """
    nodes = {
        name: NodeModel(
            name,
            node.slots,
            node.memory_noise(),
            node.operation_noise(),
            node.swap_time,
            name in inventory.relays,
            inventory.noted.get(name, ()),
        )
        for name, node in inventory.nodes.items()
    }
    views = {
        name: LinkView(name, link.a, link.b, link.model, link.light_time, link.length, link.cautions)
        for name, link in inventory.links.items()
    }
    return Topology(nodes, views, inventory.delays, inventory.controller, inventory.stations)


def assemble(form: Form, whole: bool, report: Report) -> Inventory | None:
    """Build every device and link of a document and report what cannot be built.

    Args:
        form: the sound parts of a document whose names have been checked.
        whole: True where nothing is wrong so far: only then are delays looked at, which depend on everything.
        report: told of each fault.

    Returns:
        The inventory; None where something is at fault.
    """
    faults = 0

    def count(place: Place, found: str, expected: str) -> None:
        nonlocal faults
        faults += 1
        report(place, found, expected)

    own = own_sheets(form.sheets, count)
    kit = equipment(form.defaults, count, own) if form.defaults is not None else None
    positions = _positions(form, count)
    if kit is None:
        return None
    noted: dict[str, tuple[Caution, ...]] = {}
    nodes = {entry.name: _node(entry, kit, ("nodes", number), count, noted) for number, entry in form.nodes}
    where = {entry.name: entry.position for _, entry in form.nodes}
    made: dict[str, LinkEntry] = {}
    for number, entry in form.links:
        ends = [nodes.get(name) for name in entry.between]
        link = compose(entry, ends, kit, where, ("links", number), count)
        if link is not None:
            made[link.name] = link
    stations = shared_stations(form, made, kit.architecture, count)
    delays = _delays(form, made, count) if whole and len(made) == len(form.links) else None
    if faults or delays is None:
        return None
    relays = frozenset(
        entry.name for _, entry in form.nodes if (kit.relays if entry.relays is None else entry.relays)
    )
    sound = {name: node for name, node in nodes.items() if node is not None}
    controller = form.controller or _centre(delays, tuple(sound))
    return Inventory(sound, made, delays, controller, positions, form.title, relays, noted, stations=stations)


def _node(
    entry: NodeEntry, kit: Equipment, place: Place, report: Report, noted: dict[str, tuple[Caution, ...]]
) -> Node | None:
    """One node as the fibre sees it, behind its transducer and its converter; None where it is at fault."""
    node = kit.node_of(entry, place, report)
    transducer = kit.transducer_of(entry, place, report)
    converter = kit.converter_of(entry, place, report)
    if node is None or (entry.transducer is not None and transducer is None):
        return None
    if transducer is not None:
        node, said = transduced(node, transducer)
        if said:
            noted[entry.name] = said
    if entry.converter is None:
        return node
    before = node
    return (
        attempt(lambda: converted(before, converter), (*place, "converter"), report)
        if converter is not None
        else None
    )


def _positions(form: Form, report: Report) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    geographic: bool | None = None
    for number, node in form.nodes:
        if node.position is None:
            continue
        degrees = node.position.lon is not None
        if geographic is not None and degrees != geographic:
            kinds = ("x and y", "lon and lat") if geographic is False else ("lon and lat", "x and y")
            report(("nodes", number, "position"), kinds[1], f"{kinds[0]}, as for the nodes before it")
            continue
        geographic = degrees
        found[node.name] = _coordinates(node.position)
    return found


def _coordinates(position: Position) -> tuple[float, float]:
    if position.lon is not None and position.lat is not None:
        return position.lon, position.lat
    return parse(position.x or "0 m", "length"), parse(position.y or "0 m", "length")


def _delays(form: Form, made: Mapping[str, LinkEntry], report: Report) -> Delays | None:
    """All delays; None where some pair of nodes has none or a message would be faster than light."""
    fibres = [(link.a, link.b, link.light_time) for link in made.values()]
    measured: dict[tuple[str, str], Time] = {}
    names = [node.name for _, node in form.nodes]
    delays = Delays(names, fibres)
    sound = True
    for number, entry in form.classical:
        a, b = entry.between
        if entry.delay is not None:
            field, text, time = "delay", entry.delay, parse_time(entry.delay)
        else:
            text = entry.round_trip or "0 s"
            field, time = "round_trip", parse_time(text) // 2
        light = delays.light(a).get(b, 0)
        if time < light:
            least = light if field == "delay" else 2 * light
            expected = f"at least {show_time(least, 6)}, the light time of the shortest fibre route"
            report(("classical", number, field), repr(text), expected)
            sound = False
        measured[a, b] = time
    islands = parts(names, [(a, b) for a, b, _ in fibres])
    if len(islands) > 1 and not _bridged(islands, measured):
        shown = "; ".join(", ".join(island[:4]) + ("…" if len(island) > 4 else "") for island in islands[:4])
        report(
            ("links",), f"{len(islands)} parts without a link between them ({shown})", "one connected network"
        )
        sound = False
    return Delays(names, fibres, measured) if sound else None


def _bridged(islands: list[list[str]], measured: Mapping[tuple[str, str], Time]) -> bool:
    """Say whether every two nodes of different parts have a measured delay."""
    return all(
        (a, b) in measured or (b, a) in measured
        for number, island in enumerate(islands)
        for other in islands[number + 1 :]
        for a in island
        for b in other
    )


def _centre(delays: Delays, names: tuple[str, ...]) -> str:
    """The node whose farthest other node is nearest; the first one of several."""
    return min(names, key=lambda a: max(delays[a, b] for b in names) if len(names) > 1 else 0)
