"""Whatever is done to a document, its author is told what is wrong: nothing else is ever raised."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantum_fabric import documents
from quantum_fabric.documents.bundle import FOLDER
from quantum_fabric.errors import DocumentError

TEXTS = {path.stem: path.read_text() for path in [FOLDER / "chicago.yaml", FOLDER / "delft-the-hague.yaml"]}
TEXTS["workload"] = (FOLDER / "workloads" / "chicago.yaml").read_text()
NETWORK = documents.load_network("delft-the-hague").plain()
MANY = documents.network_from(
    {
        "kind": "network",
        "version": 1,
        "defaults": {"profile": "ideal"},
        "nodes": [
            {"name": "A", "position": {"lon": 0, "lat": 0}, "overrides": {"interface.wavelength": "810 nm"}},
            {"name": "B", "position": {"lon": 8, "lat": 0}, "overrides": {"interface.wavelength": "810 nm"}},
        ],
        "links": [
            {
                "name": "sky",
                "between": ["A", "B"],
                "architecture": "satellite_double_downlink",
                "carrier": "satellite/ideal",
                "source": "pair_source/ideal",
                "elevations": ["50 deg", "40 deg"],
            },
            {
                "name": "up",
                "between": ["A", "B"],
                "architecture": "direct_transmission",
                "carrier": "uplink/ali-to-micius",
                "source": {"sheet": "emitter/ideal", "overrides": {"wavelength": "780 nm"}},
                "overhead": {"lon": 1, "lat": 2, "inclination": "97 deg", "after": "10 s"},
            },
            {
                "name": "air",
                "between": ["A", "B"],
                "architecture": "double_click",
                "carrier": "free_space/rooftop",
                "station": {"arms": ["1 km", "1 km"]},
                "switches": {"A": ["mems"], "B": [{"sheet": "mems", "beside": "1 MHz"}]},
                "frequency_modes": 2,
                "space_modes": 3,
            },
        ],
    }
).plain()
WORKLOAD = documents.load_workload("chicago-cut").plain()

TELLING = [
    "25 km", "-1 km", "0.2 dB/km", "3 dB", "10 ms", "inf s", "0 s", "120 %", "1e300 km", "1e-300 km", "9e99 d",
    "Delft", "The Hague", "Delft~The Hague", "lab-best", "nv-carbon", "single_click", "midpoint_source",
    "-3 deg", "90 deg", "-5 s", "satellite/ideal", "free_space/rooftop", "pair_distribution", "absorptive", "emitter/ideal", "mems",
]  # fmt: skip

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(TELLING)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
FIELDS = [
    "name",
    "sheet",
    "overrides",
    "slots",
    "relays",
    "position",
    "length",
    "loss",
    "attenuation",
    "station",
]
FIELDS += [
    "architecture",
    "modes",
    "source",
    "fibre",
    "delay",
    "round_trip",
    "every",
    "at",
    "until",
    "deadline",
]
FIELDS += [
    "memory.t2",
    "memory",
    "arms",
    "losses",
    "detector",
    "profile",
    "controller",
    "<<",
    "",
    "fail",
    "restore",
]
FIELDS += ["carrier", "elevations", "overhead", "switches", "converter", "transducer", "frequency_modes"]


def slots(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a document: its container and its key."""
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    else:
        return []
    return [(value, key) for key, _ in pairs] + [slot for _, inner in pairs for slot in slots(inner)]


@st.composite
def mutated(draw: st.DrawFn, original: dict[str, Any]) -> dict[str, Any]:
    """A document with one to three things changed, removed, added or put elsewhere."""
    data = copy.deepcopy(original)
    for _ in range(draw(st.integers(1, 3))):
        places = slots(data)
        if not places:
            break
        container, key = draw(st.sampled_from(range(len(places))).map(places.__getitem__))
        action = draw(st.sampled_from(["replace", "remove", "add", "repeat"]))
        if action == "replace":
            container[key] = draw(values)
        elif action == "remove":
            del container[key]
        elif isinstance(container, list):
            container.append(draw(values) if action == "add" else copy.deepcopy(container[key]))
        else:
            container[draw(st.sampled_from(FIELDS))] = draw(values) if action == "add" else container[key]
    return data


def outcome(load: Callable[[], Any]) -> tuple[Any, DocumentError | None]:
    """What comes of loading: a document or a document error; anything else fails the test."""
    try:
        return load(), None
    except DocumentError as error:
        return None, error


def survives(data: dict[str, Any], load: Any) -> None:
    """Either a document error with places, or a document that is sound and can be written out."""
    document, error = outcome(lambda: load(data, "fuzz.yaml"))
    if error is not None:
        assert error.findings
        assert all(finding.found and finding.expected for finding in error.findings)
        assert "pydantic" not in str(error)
        return
    assert load(document.plain()).plain() == document.plain()
    if isinstance(document, documents.NetworkDocument):
        network = documents.inventory(document)
        documents.topology(network)
        assert documents.parse_document(documents.dump(document)) == document


relaxed = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@relaxed
@given(mutated(NETWORK))
def test_mutated_networks(data: dict[str, Any]) -> None:
    survives(data, documents.network_from)


@relaxed
@given(mutated(MANY))
def test_mutated_networks_of_many_kinds_of_link(data: dict[str, Any]) -> None:
    survives(data, documents.network_from)


@relaxed
@given(mutated(WORKLOAD))
def test_mutated_workloads(data: dict[str, Any]) -> None:
    survives(data, documents.workload_from)


@relaxed
@given(values)
def test_any_data_at_all(data: Any) -> None:
    for load in (documents.network_from, documents.workload_from):
        survives(data if isinstance(data, dict) else {"kind": data}, load)


@st.composite
def scribbled(draw: st.DrawFn) -> str:
    """The text of a document with characters replaced, lines moved, pieces cut out."""
    text = draw(st.sampled_from(sorted(TEXTS.values())))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.sampled_from([0, 1, 1, 2, 10, 100])))
        patch = draw(
            st.text(max_size=3)
            | st.sampled_from([*"\t:-[]{}&*!|>'\"%@`#,?\n\x00\x85\ufeff", "\n  ", "---", "- ", ": "])
        )
        text = text[:start] + patch + text[stop:]
    return text


@relaxed
@given(scribbled())
def test_scribbled_text(text: str) -> None:
    document, error = outcome(lambda: documents.parse_document(text, "fuzz.yaml"))
    if error is None:
        assert documents.parse_document(documents.dump(document)).plain() == document.plain()
    else:
        lines = sum(map(text.count, "\n\r\x85\u2028\u2029")) + 2
        assert all(0 < finding.line <= lines for finding in error.findings)


@relaxed
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "fuzz.yaml"
        file.write_bytes(data)
        _, error = outcome(lambda: documents.load(file))
        assert error is not None
        assert error.findings[0].file == str(file)


@relaxed
@given(st.text(max_size=30))
def test_any_text_in_prose_survives_the_round_trip(text: str) -> None:
    data = {"kind": "network", "version": 1, "title": text, "nodes": [{"name": "A", "note": text}]}
    try:
        document = documents.network_from(data)
    except DocumentError:
        return
    assert documents.parse_document(documents.dump(document)) == document
