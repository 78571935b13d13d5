"""Links of every architecture from documents, and what is said where the parts do not fit."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from quantum_fabric import devices, documents, links
from quantum_fabric.documents.assembly import Inventory
from quantum_fabric.documents.composing import LinkEntry
from quantum_fabric.documents.fitting import CARRIERS, sources_of
from quantum_fabric.errors import DocumentError
from quantum_fabric.links import CATALOGUE

HEAD = """\
kind: network
version: 1
defaults: {profile: ideal}
nodes:
- {name: A, overrides: {cavity.bright: 80 %, memory.modes: 100}}
- {name: B, overrides: {cavity.bright: 80 %, memory.modes: 100}}
links:
- between: [A, B]
"""
SPACE = "  carrier: satellite/ideal\n  station: {arms: [800 km, 900 km]}\n"
LIGHT = {
    "source": "  source: ideal\n",
    "pair source": "  source: pair_source/ideal\n",
    "photon source": "  source: emitter/ideal\n",
}


def document(rest: str, head: str = HEAD) -> str:
    return head + rest


def inventory(text: str) -> Inventory:
    parsed = documents.parse_document(text, "net.yaml")
    assert isinstance(parsed, documents.NetworkDocument)
    return documents.inventory(parsed)


def link(rest: str, head: str = HEAD) -> LinkEntry:
    return inventory(document(rest, head)).links["A~B"]


def said(rest: str, head: str = HEAD) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        documents.parse_document(document(rest, head), "net.yaml")
    return str(caught.value).splitlines()


def entry(architecture: str) -> str:
    """What a document says of a link of this architecture, all else being ideal."""
    needs = CATALOGUE[architecture].needs
    way = SPACE if "satellite" in needs else "  length: 10 km\n"
    return f"  architecture: {architecture}\n" + way + "".join(LIGHT.get(need, "") for need in needs)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_architecture_can_be_written_down(name: str) -> None:
    made = link(entry(name))
    assert made.model.architecture == name
    assert made.model.heralding().success > 0.0
    assert made.pairs_per_second == pytest.approx(
        made.model.heralding().success / made.model.heralding().period * 1e12
    )
    assert documents.topology(inventory(document(entry(name)))).links["A~B"].model.stores == made.model.stores


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_architecture_comes_back_from_graphml(name: str, tmp_path: Path) -> None:
    text = document(entry(name) + "  switches: {A: [mems]}\n  frequency_modes: 2\n")
    text = text.replace("  length: 10 km", "  length: 8 km")
    before = documents.parse_document(text)
    assert isinstance(before, documents.NetworkDocument)
    documents.export_graphml(before, tmp_path / "g.graphml")
    assert documents.import_graphml(tmp_path / "g.graphml") == before
    assert documents.parse_document(documents.dump(before)) == before


def test_the_way_of_the_light_is_what_the_document_says() -> None:
    head = HEAD.replace("profile: ideal", "profile: ideal, carrier: free_space/rooftop")
    head = head.replace("memory.modes: 100", "memory.modes: 100, interface.wavelength: 810 nm")
    roof = devices.sheet("free_space", "rooftop")
    rest = "  length: 2 km\n  architecture: sender_receiver\n"
    assert link(rest, head).model.total_transmission() == pytest.approx(roof.transmission(2000.0), rel=1e-12)
    assert link(rest, head).light_time == roof.latency(2000.0)
    clear = rest + "  carrier: {sheet: free_space/rooftop, overrides: {attenuation: 0 dB/km}}\n"
    gain = link(clear, head).model.total_transmission() / roof.transmission(2000.0)
    assert 10 * math.log10(gain) == pytest.approx(1.0, abs=1e-9)  # 0.5 dB/km over 2 km
    # a link may still say that it is a fibre
    glass = link(rest + "  fibre: ideal\n", head)
    assert glass.model.total_transmission() == 1.0


def test_switches_add_their_loss_to_the_arm_in_which_they_stand() -> None:
    mems = devices.sheet("switch", "mems").insertion_loss
    rest = "  length: 2 km\n  architecture: double_click\n"
    bare, both = (
        link(rest + more).model.total_transmission()
        for more in ("", "  switches: {A: [mems], B: [{sheet: mems, overrides: {insertion_loss: 3 dB}}]}\n")
    )
    assert -10 * math.log10(both / bare) == pytest.approx(mems + 3.0, abs=1e-9)
    model = link(rest + "  switches: {B: [mems, mems]}\n").model
    assert model.parts.extra_loss == (0.0, 2 * mems)  # type: ignore[attr-defined]


def test_modes_of_three_kinds_multiply() -> None:
    rest = "  length: 2 km\n  architecture: dlcz\n"
    many = link(rest + "  modes: 3\n  frequency_modes: 4\n  space_modes: 5\n").model
    assert many.parts.tried == 60  # type: ignore[attr-defined]


def test_a_converter_changes_the_photon_of_its_node() -> None:
    head = HEAD.replace("- {name: A, overrides: {", "- {name: A, converter: rb-780-1522, overrides: {")
    head = head.replace(
        "- {name: B, overrides: {", "- {name: B, converter: {sheet: rb-780-1522}, overrides: {"
    )
    red = head.replace("memory.modes: 100", "interface.wavelength: 780 nm")
    made = inventory(document("  length: 2 km\n  architecture: double_click\n", red)).nodes["A"].interface
    assert round(made.wavelength * 1e9, 6) == 1522.0
    assert (made.conversion_efficiency, made.conversion_noise) == (0.57, 170.0)
    assert said("  length: 2 km\n  architecture: double_click\n", head) == [
        "net.yaml:5: nodes[0].converter: found 1550 nm, expected 780 nm, what the converter takes (interface.wavelength)",
        "net.yaml:6: nodes[1].converter: found 1550 nm, expected 780 nm, what the converter takes (interface.wavelength)",
    ]


def test_a_source_may_stand_at_one_end() -> None:
    rest = "  architecture: pair_distribution\n  source: pair_source/ideal\n"
    made = link(rest + "  station: {arms: [0 m, 10 km]}\n")
    assert made.length == 10_000.0
    assert made.model.heralding().born == (0, made.light_time)


PAIR = "  architecture: pair_distribution\n  length: 1 km\n"
WRONG = [
    (PAIR, "8: links[0].source: found nothing, expected source: a pair_source sheet, which pair_distribution needs"),
    (PAIR + "  source: ideal\n",
     "11: links[0].source: found a source sheet, expected a pair_source sheet, which is what pair_distribution takes"),
    (PAIR + "  source: emitter/ideal\n",
     "11: links[0].source: found an emitter sheet, expected a pair_source sheet, which is what pair_distribution takes"),
    ("  architecture: direct_transmission\n  length: 1 km\n",
     "8: links[0].source: found nothing, expected source: an emitter or weak_pulse sheet, which direct_transmission needs"),
    ("  architecture: single_click\n  length: 1 km\n  source: ideal\n",
     "11: links[0].source: found a source, which single_click has not, expected no source"),
    ("  architecture: satellite_double_downlink\n  length: 1 km\n  source: pair_source/ideal\n",
     "8: links[0].carrier: found a fibre path for satellite_double_downlink, expected a satellite sheet, which is what "
     "satellite_double_downlink takes"),
    ("  architecture: single_click\n  length: 800 km\n  carrier: satellite/ideal\n",
     "11: links[0].carrier: found a satellite path for single_click, expected one of satellite_double_downlink, "
     "direct_transmission"),
    ("  architecture: single_click\n  length: 1 km\n  carrier: free_space/roof\n",
     "11: links[0].carrier.sheet: found 'free_space/roof', expected a carrier sheet (did you mean 'free_space/rooftop'?): "),
    ("  architecture: single_click\n  length: 1 km\n  fibre: ideal\n  carrier: free_space/ideal\n",
     "8: links[0]: found fibre beside carrier, expected one of them: a fibre is a carrier too"),
    ("  architecture: single_click\n  length: 1 km\n  carrier: free_space/ideal\n  loss: 3 dB\n",
     "12: links[0].loss: found loss of a path that is no fibre, expected a fibre, or no such field: "),
    ("  architecture: single_click\n  length: 1 km\n  switches: {C: [mems]}\n",
     "8: links[0]: found switches of 'C', expected switches of A or B, the ends of the link"),
    ("  architecture: single_click\n  length: 1 km\n  switches: {A: [mens]}\n",
     "11: links[0].switches.A[0].sheet: found 'mens', expected a switch sheet (did you mean 'mems'?): "),
    ("  architecture: single_click\n  station: {arms: [0 m, 0 m]}\n",
     "8: links[0]: found station.arms of 0 m and 0 m, expected arms that are together above 0 m"),
    ("  architecture: absorptive\n  length: 1 km\n  frequency_modes: 101\n",
     "8: links[0]: found 101, expected at most 100"),
    ("  architecture: dlcz\n  length: 1 km\n  space_modes: 0\n",
     "11: links[0].space_modes: found 0, expected a number of at least 1"),
    ("  architecture: satellite_double_downlink\n  source: pair_source/ideal\n  carrier: satellite/ideal\n"
     "  station: {arms: [100 km, 800 km]}\n",
     "8: links[0]: found 100 km, expected 500 km to 2573.1 km: beyond that the satellite is below the horizon "),
]  # fmt: skip


@pytest.mark.parametrize(("rest", "told"), WRONG)
def test_parts_that_do_not_fit(rest: str, told: str) -> None:
    [line] = said(rest)
    assert line.removeprefix("net.yaml:").startswith(told)


def test_a_default_source_is_for_the_links_that_can_use_it() -> None:
    head = HEAD.replace("profile: ideal", "profile: ideal, source: pair_source/ideal")
    assert link("  length: 1 km\n  architecture: single_click\n", head).model.parts.source is None  # type: ignore[attr-defined]
    pairs = link("  length: 1 km\n  architecture: pair_distribution\n", head).model
    assert pairs.parts.source == devices.sheet("pair_source", "ideal")  # type: ignore[attr-defined]
    assert said("  length: 1 km\n  architecture: midpoint_source\n", head) == [
        "net.yaml:8: links[0].source: found nothing, expected source: a source sheet, which midpoint_source needs"
    ]


def test_every_need_of_an_architecture_is_known_here() -> None:
    known = {
        "detector",
        "satellite",
        *LIGHT,
        *(f"{what} at {end}" for what in ("capture", "cavity") for end in "ab"),
    }
    assert {need for one in links.CATALOGUE.values() for need in one.needs} <= known


def test_a_way_and_a_switch_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "air.yaml").write_text(documents.sheet_template("free_space"))
    (tmp_path / "mirror.yaml").write_text(documents.sheet_template("switch"))
    rest = "  architecture: sender_receiver\n  length: 1 km\n  carrier: ./air.yaml\n  switches: {A: [./mirror.yaml]}\n"
    head = HEAD.replace("memory.modes: 100", "interface.wavelength: 810 nm")
    (tmp_path / "net.yaml").write_text(head + rest)
    made = documents.load_network(tmp_path / "net.yaml")
    assert sorted(made.sheets) == ["./air.yaml", "./mirror.yaml"]
    assert documents.network_from(made.plain()) == made
    (tmp_path / "net.yaml").write_text(head + rest.replace("[./mirror.yaml]", "[./air.yaml]"))
    with pytest.raises(
        DocumentError, match=r"switches\.A\[0\]\.sheet: found './air.yaml', which is a free_space"
    ):
        documents.load_network(tmp_path / "net.yaml")


def test_the_schema_offers_them() -> None:
    schema = documents.json_schema("network")["$defs"]
    carriers = [one.get("const") for one in schema["Carrier"]["anyOf"][0]["oneOf"]]
    assert {"fibre/ull", "free_space/rooftop", "satellite/micius-downlink", "uplink/ali-to-micius"} <= set(
        carriers
    )
    assert schema["LinkDocument"]["properties"]["switches"]["additionalProperties"]["items"] == {
        "$ref": "#/$defs/Switch"
    }
    assert schema["NodeEntry"]["properties"]["converter"]["$ref"] == "#/$defs/Converter"


def test_light_of_another_path_leaks_in() -> None:
    """40 dB below a million photons are 100 per s, half of them at each of two detectors, which see 50 % of them."""
    head = HEAD.replace(
        "profile: ideal", "profile: ideal, detector: {sheet: ideal, overrides: {efficiency: 50 %}}"
    )
    leaky = "{sheet: ideal, beside: 1 MHz, overrides: {crosstalk: 40 dB}}"
    for architecture, dark in (("double_click", 50.0), ("pair_distribution", 25.0), ("single_click", 50.0)):
        source = "  source: pair_source/ideal\n" if architecture == "pair_distribution" else ""
        rest = f"  length: 1 km\n  architecture: {architecture}\n{source}"
        made = link(rest + f"  switches: {{A: [{leaky}], B: [ideal, {leaky}]}}\n", head).model
        assert made.parts.detector.dark_rate == pytest.approx(dark)  # type: ignore[attr-defined]
        clean = link(rest + "  switches: {A: [mems]}\n", head).model
        assert clean.parts.detector.dark_rate == 0.0  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [kind for kind in devices.RECORDS if kind != "coupler"])
def test_a_blank_sheet_says_where_it_goes(kind: str) -> None:
    assert "(by a program)" not in documents.sheet_template(kind)


def test_the_table_of_the_how_to_is_true(pytestconfig: pytest.Config) -> None:
    page = (pytestconfig.rootpath / "docs/how-to/use-any-link.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    told = {name.strip("`"): row for row in rows if len(row) == 5 for name in row[0].split(", ")}
    assert set(told) == set(CATALOGUE)
    for name, (_, source, way, asks, stores) in told.items():
        assert tuple(re.findall(r"`(\w+)`", source)) == sources_of(name)
        kinds = CARRIERS.get(name, ("fibre", "free_space"))
        assert way == ", ".join(kind.replace("_", " ") for kind in kinds)
        assert stores == ("yes" if link(entry(name)).model.stores else "no")
        needs = " ".join(CATALOGUE[name].needs)
        assert ("capture" in needs) == ("capture" in asks)
        assert ("cavity" in needs) == ("cavity" in asks)
