"""The checks of a document, from JSON-shaped data to a sound record."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from quantum_fabric.documents.assembly import assemble
from quantum_fabric.documents.findings import Findings, translate
from quantum_fabric.documents.network_document import NetworkDocument
from quantum_fabric.documents.reading import Plain
from quantum_fabric.documents.references import check_references, form_of, sound_parts

Record = TypeVar("Record", bound=BaseModel)


def check_form(model: type[Record], data: Plain, findings: Findings) -> Record | None:
    """Check data against a form; report what does not fit.

    Returns:
        The record; None where something was reported.

    Examples:
        >>> from quantum_fabric.documents.network_document import Position
        >>> check_form(Position, {"lon": 4.36, "lat": 52.0}, Findings("net.yaml")).lat
        52.0
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        translate(model, error, findings.report)
        return None


def check_network(data: Plain, findings: Findings) -> NetworkDocument:
    """Check a network document: its form, its names, its devices, its delays.

    Args:
        data: JSON-shaped.
        findings: of reading it; takes what is found here.

    Raises:
        DocumentError: something was found, here or before.

    Examples:
        >>> check_network({"kind": "network", "version": 1, "nodes": [{"name": "A"}]}, Findings("net.yaml")).nodes[0].name
        'A'
    """
    document = check_form(NetworkDocument, data, findings)
    form = form_of(document) if document is not None else sound_parts(data)
    check_references(form, findings.report)
    assemble(form, not findings, findings.report)
    findings.stop()
    assert document is not None, "its faults were reported"
    return document
