"""From a session to the page of its report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from quantum_fabric import __version__
from quantum_fabric.documents import FaultKind
from quantum_fabric.ops.drawing import Drawing
from quantum_fabric.ops.key_section import Assault, section
from quantum_fabric.ops.report import Report, render
from quantum_fabric.units import seconds, show_time

if TYPE_CHECKING:
    from quantum_fabric.cli.session import Session
    from quantum_fabric.documents import NetworkDocument


def page(session: Session, again: str) -> str:
    """Render the report of a session that has run."""
    scenario, inventory = session.scenario, session.fabric.inventory
    facts = [
        ("workload", scenario.workload.title or "–"),
        ("network time", show_time(session.reached)),
        ("seed", str(scenario.seed)),
        ("nodes, links", f"{len(inventory.nodes)}, {len(inventory.links)}"),
        ("controller at", inventory.controller),
        ("pairs delivered", f"{session.metrics.total('pairs_delivered'):,}"),
        ("messages carried", f"{session.metrics.total('messages'):,}"),
        ("program", f"qfabric {__version__}"),
    ]
    requests = [history.request for history in session.histories]
    drawing = Drawing(
        positions(scenario.network, inventory.positions),
        {name: (link.a, link.b, link.length) for name, link in inventory.links.items()},
        dict(session.metrics.labels("heralds")),
        broken(session, FaultKind.CUT),
        broken(session, FaultKind.FAIL),
        {end for request in requests for end in (request.source, request.destination)},
    )
    return render(
        Report(
            title=scenario.network.title or "A network",
            facts=facts,
            drawing=drawing,
            histories=list(session.histories),
            metrics=session.metrics,
            losses=session.losses,
            until=session.reached,
            interrupted=session.interrupted,
            again=again,
            notes=[
                *notes(scenario.network),
                *(f"Caution: {caution}." for caution in session.cautions),
            ],
            calibrations=calibrations(session),
            sections=[section(session.supply, assaults(session), session.reached)],
        )
    )


def calibrations(session: Session) -> list[float] | None:
    """When links had been calibrated, s; None where no link drifts and nobody calibrates."""
    if not any(
        link.upkeep.moves or link.upkeep.calibrations for link in session.fabric.inventory.links.values()
    ):
        return None
    return [seconds(at) for at, _ in session.calibrations.done if at <= session.reached]


def assaults(session: Session) -> list[Assault]:
    """Attacks of the workload that began before the run ended, with what is meant to show them."""
    from quantum_fabric.cli.keying import stances

    if not session.scenario.workload.attacks:
        return []
    return [
        Assault(spec.kind, spec.on, spec.at, min(spec.until, session.reached), found.alarms, found.why)
        for spec, found in stances(session.scenario.workload, session.fabric.inventory)
        if spec.at < session.reached
    ]


def broken(session: Session, kind: FaultKind) -> set[str]:
    """Links that the workload cut, or nodes that it let fail, before the run ended."""
    faults = session.scenario.workload.faults
    return {fault.target for fault in faults if fault.kind is kind and fault.at <= session.reached}


def positions(
    network: NetworkDocument, given: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Positions in one unit: longitudes are shortened by the cosine of the mean latitude (equirectangular)."""
    places: dict[str, tuple[float, float]] = dict(given)
    geographic = any(node.position is not None and node.position.lon is not None for node in network.nodes)
    if not geographic or not places:
        return places
    shrink = math.cos(math.radians(sum(lat for _, lat in places.values()) / len(places)))
    return {name: (lon * shrink, lat) for name, (lon, lat) in places.items()}


def notes(network: NetworkDocument) -> list[str]:
    """What of the network is not a fact, for the head of the page."""
    soft = [entry.what for entry in network.provenance if entry.standing in ("assumed", "recalled")]
    return ["Assumed or recalled, not measured: " + "; ".join(soft) + "."] if soft else []
