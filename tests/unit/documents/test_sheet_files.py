"""Data sheets of one's own: what is wrong is said with file, line, field and domain; documents carry them with them."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric import devices, documents
from quantum_fabric.documents.findings import Findings
from quantum_fabric.documents.sheet_files import MAX_BYTES, embed
from quantum_fabric.errors import DocumentError, UnknownNameError

SHEET = """\
kind: node
title: An ion of ours
status: published
cite: "Us, Journal 1, 2 (2026)"
sources:
  paper: abstract of the paper
  memory: recalled, unverified
numbers:
  memory.t1: {value: 2 s, provenance: S, source: paper}
  memory.t2: {value: 1 s, provenance: M, source: memory, note: "low confidence"}
  memory.temperature: {value: 4 K, provenance: S, source: paper}
  interface.efficiency: {value: 10 %, provenance: S, source: paper}
  slots: {value: 3, provenance: D, source: paper}
"""
NETWORK = """\
kind: network
version: 1
nodes:
- {name: Alice, sheet: ./ion.yaml}
- name: Bob
links:
- between: [Alice, Bob]
  length: 25 km
"""
PROJECTED = "kind: {}\ntitle: x\nstatus: projected\nsources: {{us: us}}\nnumbers:\n"
TIMES = "(units: ps, ns, us, µs, μs, ms, s, min, h, d)"


def faults(text: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        documents.parse_sheet(text, "ion.yaml")
    return [str(finding) for finding in caught.value.findings]


def test_a_sound_sheet_is_a_device(tmp_path: Path) -> None:
    (tmp_path / "ion.yaml").write_text(SHEET)
    sheet = documents.load_sheet(tmp_path / "ion.yaml")
    assert (sheet.kind, sheet.status, sheet.cite) == ("node", "published", "Us, Journal 1, 2 (2026)")
    assert isinstance(sheet.record, devices.Node)
    assert (sheet.record.memory.t1, sheet.record.interface.efficiency, sheet.record.slots) == (2.0, 0.1, 3)
    assert sheet.record.gates == devices.Gates(), "what is not given is the default"
    expected = devices.Provenance("1 s", "M", "recalled, unverified", "low confidence")
    assert sheet.numbers["memory.t2"] == expected


FAULTS = {
    "unknown field": (
        ("memory.t2:", "memory.t3:"),
        "ion.yaml:10: numbers.memory.t3: found the unknown field 'memory.t3', expected a field of node (did you mean 'memory.t",
    ),
    "missing unit": (
        ("value: 1 s", "value: 1"),
        f"ion.yaml:10: numbers.memory.t2.value: found 1, expected a time such as '10 ms' {TIMES}",
    ),
    "efficiency of 1.2": (
        ("value: 10 %", "value: 1.2"),
        "ion.yaml:12: numbers.interface.efficiency.value: found 1.2, expected a fraction in (0, 1]",
    ),
    "T2 above 2 T1": (
        ("value: 1 s", "value: 5 s"),
        "ion.yaml:10: numbers.memory.t2.value: found 5 s, expected at most 2 t1 = 4 s",
    ),
    "negative temperature": (
        ("value: 4 K", "value: -4 K"),
        "ion.yaml:11: numbers.memory.temperature.value: found '-4 K', expected a temperature of at least 0 K",
    ),
    "unknown letter": (
        ("{value: 4 K, provenance: S", "{value: 4 K, provenance: X"),
        "ion.yaml:11: numbers.memory.temperature.provenance: found 'X', expected a letter of S, R, M, C, P, D",
    ),
    "missing letter": (
        ("{value: 4 K, provenance: S", "{value: 4 K"),
        "ion.yaml:11: numbers.memory.temperature.provenance: found nothing, expected a letter of S, R, M, C, P, D",
    ),
    "missing source": (
        ("{value: 4 K, provenance: S, source: paper}", "{value: 4 K, provenance: S}"),
        "ion.yaml:11: numbers.memory.temperature.source: found nothing, expected one of the sources: paper, memory",
    ),
    "unknown source": (
        ("{value: 4 K, provenance: S, source: paper}", "{value: 4 K, provenance: S, source: papers}"),
        "ion.yaml:11: numbers.memory.temperature.source: found 'papers', expected one of the sources (did you mean 'paper'?)",
    ),
    "duplicate key": (
        ("  memory.temperature: {value: 4 K", "  memory.t2: {value: 4 K"),
        "ion.yaml:11: numbers.memory.t2: found the key 'memory.t2' a second time (first on line 10), expected each key once",
    ),
    "unknown field of a number": (
        ('note: "low', 'notes: "low'),
        "ion.yaml:10: numbers.memory.t2.notes: found the unknown field 'notes', expected a field of a number (did you mean",
    ),
    "unknown field of the sheet": (
        ("cite:", "citation:"),
        "ion.yaml:4: citation: found the unknown field 'citation', expected a field of a sheet",
    ),
    "unknown kind": (
        ("kind: node", "kind: nodes"),
        "ion.yaml:1: kind: found 'nodes', expected a kind of sheet (did you mean 'node'?): node, fibre",
    ),
    "no kind": (("kind: node\n", ""), "ion.yaml:1: kind: found nothing, expected a kind of sheet"),
    "unknown standing": (
        ("status: published", "status: proven"),
        "ion.yaml:3: status: found 'proven', expected one of published, tuned, recalled, projected, ideal",
    ),
    "no citation": (
        ('cite: "Us, Journal 1, 2 (2026)"\n', ""),
        "ion.yaml:1: cite: found nothing, expected the one experiment or product that a published sheet describes",
    ),
    "an assumption that is called published": (
        ("{value: 4 K, provenance: S", "{value: 4 K, provenance: P"),
        "ion.yaml:11: numbers.memory.temperature.provenance: found 'P', expected a letter other than P in a published sheet",
    ),
    "a fraction of a mode": (
        ("memory.temperature: {value: 4 K", "memory.modes: {value: 2.5"),
        "ion.yaml:11: numbers.memory.modes.value: found 2.5, expected a whole number of modes, or inf",
    ),
    "no numbers": (
        (SHEET[SHEET.index("numbers:") :], "numbers: {}\n"),
        "ion.yaml:8: numbers: found a mapping, expected a mapping from a field to its value, provenance and source",
    ),
    "a title that is none": (
        ("title: An ion of ours", "title: [1]"),
        "ion.yaml:2: title: found a list of 1, expected a line",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_file_line_field_and_domain(name: str) -> None:
    (old, new), expected = FAULTS[name]
    assert old in SHEET
    said = faults(SHEET.replace(old, new, 1))
    assert any(line.startswith(expected) for line in said), said


def test_all_faults_are_named_at_once() -> None:
    text = (
        SHEET.replace("value: 2 s", "value: -2 s")
        .replace("value: 10 %", "value: 1.2")
        .replace("value: 3", "value: 0")
    )
    assert [line.split(": ")[0] for line in faults(text)] == ["ion.yaml:9", "ion.yaml:12", "ion.yaml:13"]


def test_numbers_from_memory_alone_are_not_published() -> None:
    text = SHEET.replace("provenance: S", "provenance: M").replace("provenance: D", "provenance: M")
    assert faults(text) == [
        "ion.yaml:3: status: found 'published', with no number that was found in a text, expected status: recalled"
    ]
    assert documents.parse_sheet(text.replace("status: published", "status: recalled")).status == "recalled"


def test_a_required_number_is_asked_for() -> None:
    glass = PROJECTED.format("fibre") + "  fixed_loss: {value: 1 dB, provenance: P, source: us}\n"
    assert faults(glass) == [
        "ion.yaml:5: numbers.attenuation: found nothing, expected an attenuation of at least 0 dB/km"
    ]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "ion.yaml"
    file.write_text(SHEET + "#" * MAX_BYTES)
    with pytest.raises(
        DocumentError, match=r"ion\.yaml: found 257 KiB|found 256 KiB, expected a document of at most 256 KiB"
    ):
        documents.load_sheet(file)


def test_another_kind_than_expected(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="kind: found 'node', expected a fibre sheet"):
        documents.parse_sheet(SHEET, "ion.yaml", "fibre")


def test_a_document_that_is_no_mapping() -> None:
    assert faults("- 1\n")[0].startswith("ion.yaml:1: found a list of 1, expected a mapping with kind, title")


@pytest.mark.parametrize("kind", devices.RECORDS)
def test_a_template_is_a_sound_sheet_and_names_every_field(kind: str) -> None:
    text = documents.sheet_template(kind)
    assert documents.parse_sheet(text).kind == kind
    for field, quantity in devices.describe(devices.RECORDS[kind]).items():
        assert f"{field}: {{value: " in text
        assert quantity.domain in text


@pytest.mark.parametrize("kind", devices.RECORDS)
def test_the_defaults_of_a_template_are_those_of_the_record(kind: str) -> None:
    """With every comment made a number the sheet is the same device."""
    text = documents.sheet_template(kind)
    whole = "\n".join(
        line.replace("# ", "", 1) if "{value: " in line and line.startswith("  # ") else line
        for line in text.splitlines()
    )
    sheet = documents.parse_sheet(whole)
    assert set(sheet.numbers) == set(devices.describe(devices.RECORDS[kind]))
    assert sheet.record == documents.parse_sheet(text).record


def test_there_is_no_template_of_an_unknown_kind() -> None:
    with pytest.raises(UnknownNameError, match="kind of sheet: found 'lamp', expected one of node, fibre"):
        documents.sheet_template("lamp")


# ------------------------------------------------------------------------------------- in a network document


def write(folder: Path, network: str = NETWORK, sheet: str = SHEET) -> Path:
    (folder / "ion.yaml").write_text(sheet)
    (folder / "net.yaml").write_text(network)
    return folder / "net.yaml"


def test_a_network_names_a_sheet_by_its_path(tmp_path: Path) -> None:
    inventory = documents.inventory(documents.load_network(write(tmp_path)))
    assert inventory.nodes["Alice"].memory.t1 == 2.0
    assert inventory.nodes["Alice"].slots == 3
    assert inventory.nodes["Bob"] != inventory.nodes["Alice"]


def test_a_loaded_network_carries_the_sheet_with_it(tmp_path: Path) -> None:
    """What a journal holds does not depend on a file that may change."""
    file = write(tmp_path)
    network = documents.load_network(file)
    (tmp_path / "ion.yaml").unlink()
    again = documents.network_from(network.plain())
    assert again == network
    assert documents.inventory(again).nodes["Alice"].slots == 3
    from_text = documents.parse_document(documents.dump(network))
    assert from_text == network


def test_a_network_with_its_sheet_survives_graphml(tmp_path: Path) -> None:
    network = documents.load_network(write(tmp_path))
    documents.export_graphml(network, tmp_path / "net.graphml")
    assert documents.import_graphml(tmp_path / "net.graphml") == network


def test_sheets_by_path_in_defaults_and_links(tmp_path: Path) -> None:
    glass = PROJECTED.format("fibre") + "  attenuation: {value: 1 dB/km, provenance: P, source: us}\n"
    eye = PROJECTED.format("detector") + "  efficiency: {value: 50 %, provenance: P, source: us}\n"
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "glass.yaml").write_text(glass)
    (tmp_path / "parts" / "eye.yml").write_text(eye)
    text = NETWORK.replace(
        "nodes:", "defaults:\n  node: ./ion.yaml\n  detector: {sheet: parts/eye.yml}\nnodes:"
    )
    text += "  fibre: parts/glass.yaml\n"
    network = documents.load_network(write(tmp_path, text))
    assert set(network.sheets) == {"./ion.yaml", "parts/eye.yml", "parts/glass.yaml"}
    link = documents.inventory(network).links["Alice~Bob"]
    assert link.model.total_transmission() == pytest.approx(10**-2.5, rel=1e-9)
    assert documents.inventory(network).nodes["Bob"].slots == 3


def test_overrides_apply_to_a_sheet_of_ones_own(tmp_path: Path) -> None:
    text = NETWORK.replace("sheet: ./ion.yaml", "sheet: ./ion.yaml, overrides: {memory.t2: 3 s}")
    assert documents.inventory(documents.load_network(write(tmp_path, text))).nodes["Alice"].memory.t2 == 3.0


def test_a_fault_in_the_sheet_has_the_line_of_the_sheet(tmp_path: Path) -> None:
    file = write(tmp_path, sheet=SHEET.replace("value: 10 %", "value: 1.2"))
    with pytest.raises(DocumentError) as caught:
        documents.load_network(file)
    (finding,) = caught.value.findings
    assert Path(finding.file) == tmp_path / "ion.yaml"
    assert (finding.line, finding.field) == (12, "numbers.interface.efficiency.value")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("./none.yaml", "nodes[0].sheet: found './none.yaml' (no such file), expected the path of a sheet"),
        ("/etc/ion.yaml", "nodes[0].sheet: found '/etc/ion.yaml', expected a path as seen from the document"),
        ("../", "nodes[0].sheet: found '../' (a directory), expected the path of a sheet"),
    ],
)
def test_a_path_that_leads_nowhere(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        documents.load_network(write(tmp_path, NETWORK.replace("./ion.yaml", name)))
    assert said in str(caught.value)
    assert caught.value.findings[0].line == 4


def test_a_sheet_of_another_kind_in_the_wrong_place(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"fibre\.sheet: found './ion.yaml', which is a node sheet"):
        documents.load_network(write(tmp_path, NETWORK + "  fibre: ./ion.yaml\n"))
    with pytest.raises(DocumentError, match=r"ion\.yaml:1: kind: found 'node', expected a fibre sheet"):
        documents.load_network(
            write(tmp_path, NETWORK.replace(", sheet: ./ion.yaml", "") + "  fibre: ./ion.yaml\n")
        )


def test_a_carried_sheet_of_another_kind(tmp_path: Path) -> None:
    plain = documents.load_network(write(tmp_path)).plain()
    plain["links"][0]["fibre"] = "./ion.yaml"
    with pytest.raises(
        DocumentError, match=r"links\[0\]\.fibre\.sheet: found './ion.yaml', which is a node sheet"
    ):
        documents.network_from(plain)


def test_a_carried_sheet_is_checked_like_any(tmp_path: Path) -> None:
    plain = documents.load_network(write(tmp_path)).plain()
    plain["sheets"]["./ion.yaml"]["numbers"]["memory.t2"]["value"] = "9 s"
    with pytest.raises(DocumentError, match=r"sheets\.\./ion\.yaml\.numbers\.memory\.t2\.value: found 9 s"):
        documents.network_from(plain)
    plain = {**plain, "sheets": {"ion": {}}}
    with pytest.raises(DocumentError, match=r"sheets\.ion: found 'ion', expected the path of a sheet"):
        documents.network_from(plain)


def test_an_import_may_name_sheets_by_path(tmp_path: Path) -> None:
    network = documents.load_network(write(tmp_path, NETWORK.replace(", sheet: ./ion.yaml", "")))
    documents.export_graphml(network, tmp_path / "net.graphml")
    text = "kind: import\nversion: 1\ngraphml: net.graphml\ndefaults: {node: ./ion.yaml}\n"
    (tmp_path / "import.yaml").write_text(text)
    made = documents.load_network(tmp_path / "import.yaml")
    assert documents.inventory(made).nodes["Bob"].slots == 3


STATION = """\
kind: station
title: Our cabinet
status: projected
sources: {us: us}
numbers:
  insertion_loss: {value: 3.0103 dB, provenance: P, source: us}
  reflectance: {value: 0.4, provenance: P, source: us}
"""
LINK = "kind: network\nversion: 1\nnodes: [{name: A}, {name: B}]\nlinks:\n- {between: [A, B], length: 10 km"


def test_a_station_lowers_efficiency_and_visibility(tmp_path: Path) -> None:
    """A link whose station loses half of the photons and splits them 40 : 60 is the one with worse parts."""
    (tmp_path / "cabinet.yaml").write_text(STATION)
    with_sheet = write(tmp_path, LINK + ", station: {sheet: ./cabinet.yaml, detector: ideal}}\n")
    one = documents.inventory(documents.load_network(with_sheet))
    visibility = one.nodes["A"].interface.visibility * 0.96
    worse = f"{{name: A, overrides: {{interface.visibility: {visibility!r}}}}}"
    text = LINK.replace("{name: A}", worse).replace("{name: B}", worse.replace("A", "B", 1))
    text += ", station: {detector: {sheet: ideal, overrides: {efficiency: 0.5}}}}\n"
    other = documents.inventory(documents.parse_document(text))
    left, right = (network.links["A~B"].model.heralding() for network in (one, other))
    assert left.success == pytest.approx(right.success, rel=1e-5)
    assert left.fidelity == pytest.approx(right.fidelity, rel=1e-9)
    assert one.nodes["A"].interface.visibility != visibility, "the node itself is as it was"


def test_a_perfect_station_changes_nothing() -> None:
    plain = documents.inventory(documents.parse_document(LINK + "}\n")).links["A~B"].model.heralding()
    named = documents.inventory(documents.parse_document(LINK + ", station: {sheet: linear-optics}}\n"))
    assert named.links["A~B"].model.heralding() == plain


def test_a_station_that_links_do_not_model_is_refused() -> None:
    with pytest.raises(
        DocumentError, match=r"links\[0\]\.station\.sheet: found a deterministic station of success 1"
    ):
        documents.parse_document(LINK + ", station: {sheet: deterministic}}\n")
    with pytest.raises(DocumentError, match=r"station\.overrides\.success: found 0.6, expected at most 0.5"):
        documents.parse_document(LINK + ", station: {overrides: {success: 0.6}}}\n")
    with pytest.raises(DocumentError, match=r"station\.sheet: found 'cabin', expected a station sheet"):
        documents.parse_document(LINK + ", station: {sheet: cabin}}\n")


def test_a_link_may_go_through_the_air(tmp_path: Path) -> None:
    text = LINK.replace("10 km", "2 km") + ", carrier: free_space/ideal, architecture: double_click}\n"
    nodes = "interface.wavelength: 850 nm"
    text = text.replace(
        "{name: A}, {name: B}", f"{{name: A, overrides: {{{nodes}}}}}, {{name: B, overrides: {{{nodes}}}}}"
    )
    carrier = devices.sheet("free_space", "ideal")
    if carrier.carries(850e-9):
        link = documents.inventory(documents.parse_document(text)).links["A~B"]
        assert link.light_time == carrier.latency(2000.0)
    lossy = text.replace("carrier: free_space/ideal", "carrier: free_space/ideal, loss: 3 dB")
    with pytest.raises(DocumentError, match=r"links\[0\]\.loss: found loss of a path that is no fibre"):
        documents.parse_document(lossy)


def test_a_link_may_have_a_source_of_any_kind(tmp_path: Path) -> None:
    (tmp_path / "pairs.yaml").write_text(documents.sheet_template("pair_source"))
    text = LINK + ", architecture: pair_distribution, source: {0}}}\n".replace("}}", "}")
    for source in ("pair_source/ideal", "./pairs.yaml"):
        network = documents.load_network(write(tmp_path, text.replace("{0}", source)))
        model = documents.inventory(network).links["A~B"].model
        assert model.architecture == "pair_distribution"
    with pytest.raises(
        DocumentError, match=r"source\.sheet: found 'pair_source/none', expected a source sheet"
    ):
        documents.parse_document(text.replace("{0}", "pair_source/none"))
    with pytest.raises(
        DocumentError, match=r"kind: found 'node', expected a sheet of kind source, pair_source"
    ):
        documents.load_network(write(tmp_path, text.replace("{0}", "./ion.yaml")))


SUPERCONDUCTING = """\
kind: network
version: 1
nodes:
- {name: A, sheet: transmon, transducer: future}
- {name: B, sheet: transmon, transducer: {sheet: future, overrides: {added_noise: 0.7}}}
links:
- {between: [A, B], length: 1 km}
"""


def test_a_superconducting_node_has_a_transducer() -> None:
    inventory = documents.inventory(documents.parse_document(SUPERCONDUCTING))
    made, _ = devices.transduced(devices.sheet("node", "transmon"), devices.sheet("transducer", "future"))
    assert inventory.nodes["A"].interface == made.interface
    assert inventory.nodes["B"].interface.spin_photon_fidelity < made.interface.spin_photon_fidelity


def test_too_much_noise_of_a_transducer_is_not_silent() -> None:
    inventory = documents.inventory(documents.parse_document(SUPERCONDUCTING))
    assert "B.transducer.noise" in {caution.where for caution in inventory.cautions}
    assert "A.transducer.noise" not in {caution.where for caution in inventory.cautions}


def test_faults_of_a_transducer_are_named() -> None:
    for new, said in (
        (
            "transducer: futures}",
            "nodes[0].transducer.sheet: found 'futures', expected a transducer sheet (did you mean",
        ),
        (
            "transducer: {sheet: ideal, overrides: {efficiency: 2}}}",
            "nodes[0].transducer.overrides.efficiency: found 2",
        ),
        ("transducer: ./none.yaml}", "nodes[0].transducer: found './none.yaml' (no such file)"),
    ):
        with pytest.raises(DocumentError) as caught:
            documents.parse_document(SUPERCONDUCTING.replace("transducer: future}", new))
        assert said in str(caught.value)
        assert caught.value.findings[0].line == 4


def test_without_its_transducer_a_microwave_photon_finds_no_fibre() -> None:
    with pytest.raises(DocumentError, match="the band of the fibre"):
        documents.parse_document(SUPERCONDUCTING.replace(", transducer: future", ""))


def test_a_sheet_given_as_a_document_points_to_the_right_command(tmp_path: Path) -> None:
    (tmp_path / "ion.yaml").write_text(SHEET)
    with pytest.raises(DocumentError, match="qfabric devices check FILE"):
        documents.load(tmp_path / "ion.yaml")


JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.text(max_size=300), st.sampled_from([".yaml", "/", ""]))
def test_any_name_of_a_sheet_is_read_or_refused(name: str, end: str) -> None:
    data = {"kind": "network", "version": 1, "nodes": [{"name": "A", "sheet": name + end}]}
    with pytest.raises(DocumentError):
        documents.parse_document(json.dumps(data), "/nowhere/net.yaml")


@given(JUNK)
def test_any_carried_sheets_are_read_or_refused(junk: Any) -> None:
    data = {"kind": "network", "version": 1, "nodes": [{"name": "A"}], "sheets": junk}
    embed(data, Path("/nowhere"), Findings("net.yaml"))
    if junk == {}:
        assert documents.network_from(data).sheets == {}
        return
    with pytest.raises(DocumentError):
        documents.network_from(data)


@given(JUNK)
def test_junk_where_devices_are_named_does_no_harm(junk: Any) -> None:
    data = {
        "defaults": junk,
        "nodes": junk,
        "links": [junk, {"station": junk, "fibre": junk, "source": {"sheet": junk}}],
    }
    with contextlib.suppress(DocumentError):
        embed(data, Path("/nowhere"), Findings("net.yaml"))
