"""Heralding stations that several links share: from the entries of a document to what they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quantum_fabric.documents.composing import ONE_STRETCH, TWO_PLACES, LinkEntry
from quantum_fabric.documents.findings import Report
from quantum_fabric.documents.reading import quoted
from quantum_fabric.documents.references import Form
from quantum_fabric.links.hub import SharedStation
from quantum_fabric.units import Time, from_seconds, parse_time


def shared_stations(
    form: Form, made: Mapping[str, LinkEntry], architecture: str, report: Report
) -> dict[str, SharedStation]:
    """The shared stations of a document with the links that name them.

    Args:
        form: sound parts of the document, whose names have been checked.
        made: links that could be built.
        architecture: of the links that do not say otherwise.
        report: told of links that have no station in the middle.

    Examples:
        >>> from quantum_fabric.documents import inventory, network_from
        >>> pairs = [["A", "B"], ["C", "D"], ["B", "C"]]
        >>> links = [{"between": pair, "length": "2 km", "station": "hub"} for pair in pairs]
        >>> document = network_from({
        ...     "kind": "network", "version": 1, "defaults": {"profile": "ideal"}, "links": links,
        ...     "nodes": [{"name": name} for name in "ABCD"], "stations": [{"name": "hub", "switching": "2 ms"}],
        ... })
        >>> inventory(document).stations["hub"].links
        ('A~B', 'C~D', 'B~C')
    """
    of: dict[str, list[LinkEntry]] = {entry.name: [] for _, entry in form.stations}
    for number, link in form.links:
        shared = link.station.shared if link.station is not None else None
        if shared is None:
            continue
        kind = link.architecture or architecture
        if kind in (*ONE_STRETCH, *TWO_PLACES):
            found = f"station {quoted(shared)} of a {kind} link, which has no analyser in the middle"
            expected = "a link whose photons meet at a station, such as single_click or double_click"
            report(("links", number, "station", "shared"), found, expected)
        elif shared in of and link.label in made:
            of[shared].append(made[link.label])
    return {
        entry.name: SharedStation(
            entry.name,
            tuple(link.name for link in of[entry.name]),
            entry.analysers,
            parse_time(entry.switching or "0 s"),
            parse_time(entry.dead_time) if entry.dead_time is not None else _dead_time(of[entry.name]),
        )
        for _, entry in form.stations
    }


def _dead_time(links: list[LinkEntry]) -> Time:
    """The longest of the detectors."""
    longest = 0.0
    for link in links:
        parts: Any = getattr(link.model, "parts", None)
        detector = getattr(parts, "detector", None)
        longest = max(longest, detector.dead_time if detector is not None else 0.0)
    return from_seconds(longest)
