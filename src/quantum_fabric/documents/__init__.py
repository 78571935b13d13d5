"""Documents: networks and workloads as their owners write them, and what they stand for.

A document is YAML that a person writes. It is read with its line numbers, checked against its form, checked against
itself and against the device sheets; what is wrong is said all at once, with file, line, field, found and expected.

    load_network, load_workload, load       from a file or a bundled name
    parse_document, network_from, workload_from, chain
                                            from text, from JSON-shaped data (a journal), from a distance
    inventory, topology, check_workload     what it stands for, in base units
    dump, json_schema                       back to YAML; for editors
    import_topohub, import_graphml, export_graphml
                                            networks from and for elsewhere
    load_sheet, parse_sheet, sheet_template data sheets of one's own
    bundled                                 what comes with the package
"""

from quantum_fabric.documents.assembly import Inventory, inventory, topology
from quantum_fabric.documents.bundle import BundledNetwork, bundled, workloads
from quantum_fabric.documents.composing import LinkEntry
from quantum_fabric.documents.importing import ImportDocument, export_graphml, import_graphml, import_topohub
from quantum_fabric.documents.loading import (
    dump,
    json_schema,
    load,
    load_network,
    load_workload,
    network_from,
    parse_document,
    workload_from,
)
from quantum_fabric.documents.network_document import NetworkDocument
from quantum_fabric.documents.repeater_chain import chain
from quantum_fabric.documents.sheet_files import load_sheet, parse_sheet, sheet_template
from quantum_fabric.documents.workload import (
    Arrival,
    Fault,
    FaultKind,
    PoissonSpec,
    Workload,
    check_workload,
)
from quantum_fabric.documents.workload_document import WorkloadDocument

__all__ = [
    "Arrival",
    "BundledNetwork",
    "Fault",
    "FaultKind",
    "ImportDocument",
    "Inventory",
    "LinkEntry",
    "NetworkDocument",
    "PoissonSpec",
    "Workload",
    "WorkloadDocument",
    "bundled",
    "chain",
    "check_workload",
    "dump",
    "export_graphml",
    "import_graphml",
    "import_topohub",
    "inventory",
    "json_schema",
    "load",
    "load_network",
    "load_sheet",
    "load_workload",
    "network_from",
    "parse_document",
    "parse_sheet",
    "sheet_template",
    "topology",
    "workload_from",
    "workloads",
]
