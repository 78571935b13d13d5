"""Every way of getting a document wrong that we could think of, and exactly what its author is told."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from quantum_fabric import devices, documents
from quantum_fabric.documents.reading import MAX_BYTES
from quantum_fabric.errors import DocumentError, InputError
from quantum_fabric.links import CATALOGUE

NETWORK = """\
kind: network
version: 1
nodes:
- name: Alice
- name: Bob
links:
- between: [Alice, Bob]
  length: 25 km
"""
WORKLOAD = """\
kind: workload
version: 1
duration: 5 s
requests:
- {from: Alice, to: Bob, fidelity: 0.9}
faults:
- {at: 1 s, cut: Alice~Bob}
"""
LENGTHS = "(units: nm, um, µm, mm, cm, m, km)"
TIMES = "(units: ps, ns, us, µs, μs, ms, s, min, h, d)"


def known(names: Iterable[str]) -> str:
    """Names as a finding shows them: twenty of them, and how many more there are."""
    all_names = list(names)
    more = f" and {len(all_names) - 20} more" if len(all_names) > 20 else ""
    return ", ".join(all_names[:20]) + more


NODE_SHEETS = known(devices.sheets("node"))
FIBRE_SHEETS = known(devices.sheets("fibre"))
ARCHITECTURES = known(CATALOGUE)
MEMORY_FIELDS = devices.describe(devices.Memory)
NODE_FIELDS = "name, sheet, overrides, slots, transducer, converter, relays, trust, position, note"
LINK_FIELDS = (
    "name, between, length, elevations, overhead, fibre, carrier, attenuation, fixed_loss, loss, station, "
    "architecture, modes, frequency_modes, space_modes, source, switches, drift, calibration, note"
)


def findings(text: str) -> list[str]:
    """What is said about a document, without the name of the file."""
    with pytest.raises(DocumentError) as caught:
        documents.parse_document(text, "net.yaml")
    lines = str(caught.value).splitlines()
    assert all(line.startswith("net.yaml:") for line in lines)
    assert len(lines) == len(caught.value.findings)
    return [line.removeprefix("net.yaml:") for line in lines]


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


LENGTH_CASES = [
    ("-25 km", "'-25 km', expected a length above 0 such as '25 km'"),
    ("0 km", "'0 km', expected a length above 0 such as '25 km'"),
    ("inf km", "'inf km', expected a length above 0 such as '25 km'"),
    ("25", f"25, expected a length such as '25 km' {LENGTHS}"),
    ("'25'", f"'25', expected a length such as '25 km' {LENGTHS}"),
    ("25 dB", f"'25 dB', expected a length such as '25 km' {LENGTHS}"),
    ("25 miles", f"'25 miles', expected a length such as '25 km' {LENGTHS}"),
    ("1e400 km", f"'1e400 km', expected a length such as '25 km' {LENGTHS}"),
    ("[25 km]", "a list of 1, expected a length above 0 such as '25 km'"),
    ("{km: 25}", "a mapping, expected a length above 0 such as '25 km'"),
    ("true", f"True, expected a length such as '25 km' {LENGTHS}"),
]


@pytest.mark.parametrize(("written", "said"), LENGTH_CASES)
def test_a_length(written: str, said: str) -> None:
    assert findings(changed(NETWORK, "25 km", written)) == [f"8: links[0].length: found {said}"]


NODE_CASES = [
    ("name: Alice", ["5: nodes[1].name: found a second node 'Alice' (first is nodes[0]), expected each name once",
                     "7: links[0].between[1]: found 'Bob', expected a node: Alice"]),
    ("name: 7", ["5: nodes[1].name: found 7, expected a name; put it in quotes: '7'"]),
    ("name: false", ["5: nodes[1].name: found false, expected a name; put it in quotes: 'false'"]),
    ("name:", ["5: nodes[1].name: found nothing, expected a name"]),
    ("nme: Bob", ["5: nodes[1].name: found nothing, expected a name, unique in the network",
                  f"5: nodes[1].nme: found the unknown field 'nme', expected a field (did you mean 'name'?): {NODE_FIELDS}"]),
    ("name: Bob\n  slots: 0", ["6: nodes[1].slots: found 0, expected a number of at least 1"]),
    ("name: Bob\n  slots: 2.5", ["6: nodes[1].slots: found 2.5, expected a whole number"]),
    ("name: Bob\n  slots: '4'", ["6: nodes[1].slots: found '4', expected a whole number"]),
    ("name: Bob\n  relays: no", ["6: nodes[1].relays: found 'no', expected true or false"]),
    ("name: Bob\n  position: {lon: 4}",
     ["6: nodes[1].position: found lon, expected lon and lat (degrees), or x and y (lengths)"]),
    ("name: Bob\n  position: {lon: 4, lat: 95}", ["6: nodes[1].position.lat: found 95, expected a number of at most 90"]),
    ("name: Bob\n  position: {lon: east, lat: 5}", ["6: nodes[1].position.lon: found 'east', expected a number"]),
    ("name: Bob\n  position: {x: 4, y: 3 km}",
     [f"6: nodes[1].position.x: found 4, expected a length such as '25 km' {LENGTHS}"]),
    ("name: Bob\n  sheet: nv-elektron",
     [f"6: nodes[1].sheet: found 'nv-elektron', expected a node sheet (did you mean 'nv-electron'?): {NODE_SHEETS}"]),
    ("name: Bob\n  overrides: {memory.t3: 10 ms}",
     [f"6: nodes[1].overrides.memory.t3: found 't3', expected a field of memory: {', '.join(MEMORY_FIELDS)}"]),
    ("name: Bob\n  overrides:\n    memory: {t2: 10}",
     [f"7: nodes[1].overrides.memory.t2: found 10, expected a time such as '10 ms' {TIMES}"]),
    ("name: Bob\n  overrides:\n    gates.swap_success: 120 %\n    slots: 0",
     ["7: nodes[1].overrides.gates.swap_success: found '120 %', expected a fraction in (0, 1]",
      "8: nodes[1].overrides.slots: found 0, expected a count of at least 1"]),
    ("name: Bob\n  overrides: 5", ["6: nodes[1].overrides: found 5, expected a mapping"]),
]  # fmt: skip


@pytest.mark.parametrize(("written", "said"), NODE_CASES)
def test_a_node(written: str, said: list[str]) -> None:
    assert findings(changed(NETWORK, "name: Bob", written)) == said


LINK_CASES = [
    ("between: [Alice, Alice]", ["7: links[0].between: found 'Alice' twice, expected two different nodes"]),
    ("between: [Alice, Bpb]", ["7: links[0].between[1]: found 'Bpb', expected a node (did you mean 'Bob'?): Alice, Bob"]),
    ("between: [Alice]", ["7: links[0].between[1]: found nothing, expected a list of 2"]),
    ("between: [Alice, Bob, Eve]", ["7: links[0].between: found a list of 3, expected a list of 2"]),
    ("between: Alice", ["7: links[0].between: found 'Alice', expected a list"]),
    ("betwen: [Alice, Bob]",
     ["7: links[0].between: found nothing, expected two different node names",
      f"7: links[0].betwen: found the unknown field 'betwen', expected a field (did you mean 'between'?): {LINK_FIELDS}"]),
]  # fmt: skip


@pytest.mark.parametrize(("written", "said"), LINK_CASES)
def test_the_ends_of_a_link(written: str, said: list[str]) -> None:
    assert findings(changed(NETWORK, "between: [Alice, Bob]", written)) == said


FIBRE_CASES = [
    ("note: x",
     "7: links[0]: found nothing, expected length: a length above 0 such as '25 km' (or station.arms)"),
    ("length: 25 km\n  station: {arms: [15 km, 5 km]}",
     "9: links[0].station.arms: found arms of 15 km and 5 km, expected arms that add up to the length, 25 km"),
    ("station: {arms: [15 km, -5 km]}",
     "8: links[0].station.arms[1]: found '-5 km', expected a length of at least 0 such as '25 km'"),
    ("length: 25 km\n  loss: 3 dB\n  attenuation: 0.2 dB/km",
     "7: links[0]: found attenuation beside loss, expected loss alone, station.losses alone, or attenuation and fixed_loss"),
    ("length: 25 km\n  attenuation: -1 dB/km",
     "9: links[0].attenuation: found '-1 dB/km', expected an attenuation of at least 0 such as '0.2 dB/km'"),
    ("length: 25 km\n  attenuation: 0.2",
     "9: links[0].attenuation: found 0.2, expected an attenuation such as '0.2 dB/km' (units: dB/km, dB/m)"),
    ("length: 25 km\n  loss: 3", "9: links[0].loss: found 3, expected a loss such as '3 dB' (units: dB)"),
    ("length: 25 km\n  modes: 0", "9: links[0].modes: found 0, expected a number of at least 1"),
    ("length: 25 km\n  fibre: smf28",
     f"9: links[0].fibre.sheet: found 'smf28', expected a fibre sheet (did you mean 'smf-28'?): {FIBRE_SHEETS}"),
    ("length: 25 km\n  fibre: {sheet: smf-28, overrides: {attenuation: 0.2}}",
     "9: links[0].fibre.overrides.attenuation: found 0.2, expected an attenuation such as '0.2 dB/km' (units: dB/km, dB/m)"),
    ("length: 25 km\n  architecture: double-click",
     "9: links[0].architecture: found 'double-click', expected an architecture (did you mean 'double_click'?): "
     + ARCHITECTURES),
    ("length: 25 km\n  architecture: midpoint_source",
     "7: links[0].source: found nothing, expected source: a source sheet, which midpoint_source needs"),
    ("length: 25 km\n  source: {overrides: {fidelity: 1}}",
     "9: links[0].source: found overrides without a sheet, expected sheet: the name of a source sheet"),
    ("length: 25 km\n- {between: [Bob, Alice], length: 1 km}",
     "9: links[1]: found a second link between 'Bob' and 'Alice' (first is links[0]), "
     "expected each link once, or a name for each of parallel links"),
    ("length: 25 km\n- {between: [Alice, Bob], length: 1 km}",
     "9: links[1].name: found a second link 'Alice~Bob' (first is links[0]), expected each name once"),
    ("length: 25 km\ncontroller: Rob", "9: controller: found 'Rob', expected a node (did you mean 'Bob'?): Alice, Bob"),
    ("length: 25 km\nversion: 2",
     "9: version: found the key 'version' a second time (first on line 2), expected each key once"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "said"), FIBRE_CASES)
def test_a_link(written: str, said: str) -> None:
    assert findings(changed(NETWORK, "length: 25 km", written)) == [said]


CLASSICAL_CASES = [
    ("delay: 1 us", "10: classical[0].delay: found '1 us', expected at least 122.418 us, "
                    "the light time of the shortest fibre route"),
    ("round_trip: 1 us", "10: classical[0].round_trip: found '1 us', expected at least 244.836 us, "
                         "the light time of the shortest fibre route"),
    ("delay: 1 ms, round_trip: 2 ms",
     "10: classical[0]: found delay beside round_trip, expected one of delay and round_trip"),
    ("note: none", "10: classical[0]: found neither delay nor round_trip, expected one of delay and round_trip"),
    ("delay: 5", f"10: classical[0].delay: found 5, expected a time such as '10 ms' {TIMES}"),
    ("delay: -5 ms", "10: classical[0].delay: found '-5 ms', expected a time of at least 0 such as '10 ms'"),
    ("delay: 1 ms}\n- {between: [Bob, Alice], delay: 1 ms",
     "11: classical[1]: found a second delay between these nodes (first is classical[0]), expected each pair once"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "said"), CLASSICAL_CASES)
def test_a_classical_delay(written: str, said: str) -> None:
    assert findings(f"{NETWORK}classical:\n- {{between: [Alice, Bob], {written}}}\n") == [said]


def test_a_delay_that_light_could_keep_is_taken() -> None:
    text = f"{NETWORK}classical:\n- {{between: [Alice, Bob], delay: 123 us}}\n"
    assert isinstance(documents.parse_document(text), documents.NetworkDocument)


DOCUMENT_CASES = [
    ("kind: network", "kind: netwrk",
     ["1: kind: found 'netwrk', expected a kind of document (did you mean 'network'?): network, workload, import, study"]),
    ("kind: network\n", "", ["1: kind: found nothing, expected a kind of document: network, workload, import, study"]),
    ("kind: network", "kind: [network]",
     ["1: kind: found a list of 1, expected a kind of document: network, workload, import, study"]),
    ("version: 1", "version: 2", ["2: version: found 2, expected 1"]),
    ("version: 1", "version: '1'", ["2: version: found '1', expected 1"]),
    ("version: 1\n", "", ["1: version: found nothing, expected the field 'version'"]),
    ("version: 1", "version: 1\ndefaults: {profile: tomorrow}",
     ["3: defaults.profile: found 'tomorrow', expected a hardware profile: future, ideal, lab-best, today"]),
    ("version: 1", "version: 1\ndefaults:\n  node: {sheet: x}\n  fibre: y\n  architecture: z",
     [f"4: defaults.node.sheet: found 'x', expected a node sheet: {NODE_SHEETS}",
      f"5: defaults.fibre.sheet: found 'y', expected a fibre sheet: {FIBRE_SHEETS}",
      f"6: defaults.architecture: found 'z', expected an architecture: {ARCHITECTURES}"]),
    ("version: 1", "version: 1\nprovenance: [{what: all, source: me, standing: solid}]",
     ["3: provenance[0].standing: found 'solid', expected 'primary', 'secondary', 'recalled', 'computed' or 'assumed'"]),
    ("links:", "links: []\nlinkz:",
     ["6: links: found 2 parts without a link between them (Alice; Bob), expected one connected network",
      "7: linkz: found the unknown field 'linkz', expected a field (did you mean 'links'?): "
      "kind, version, title, description, provenance, sheets, defaults, nodes, links, stations, classical, controller, "
      "states"][1:]),
    ("[Alice, Bob]\n  length: 25 km", "[Alice, Bob]\n  length: 25 km\nnodes: []",
     ["9: nodes: found the key 'nodes' a second time (first on line 3), expected each key once"]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), DOCUMENT_CASES)
def test_a_network(old: str, new: str, said: list[str]) -> None:
    assert findings(changed(NETWORK, old, new)) == said


def test_a_network_in_two_parts() -> None:
    text = changed(NETWORK, "- name: Bob", "- name: Bob\n- name: Carol\n- name: Dave")
    said = "8: links: found 3 parts without a link between them (Alice, Bob; Carol; Dave), expected one connected network"
    assert findings(text) == [said]


def test_parts_that_only_classical_messages_join() -> None:
    text = changed(NETWORK, "- name: Bob", "- name: Bob\n- name: Carol")
    text += "classical:\n- {between: [Alice, Carol], delay: 1 ms}\n- {between: [Bob, Carol], delay: 2 ms}\n"
    network = documents.inventory(documents.network_from(documents.parse_document(text).plain()))
    assert network.delays["Carol", "Bob"] == 2_000_000_000


def test_no_nodes_at_all() -> None:
    said = ["3: nodes: found an empty list, expected at least one node"]
    assert findings("kind: network\nversion: 1\nnodes: []\n") == said


def test_positions_of_two_kinds() -> None:
    text = changed(NETWORK, "name: Alice", "name: Alice\n  position: {lon: 4, lat: 5}")
    text = changed(text, "name: Bob", "name: Bob\n  position: {x: 4 m, y: 3 km}")
    assert findings(text) == [
        "7: nodes[1].position: found x and y, expected lon and lat, as for the nodes before it"
    ]


def test_all_faults_are_told_at_once_and_in_order() -> None:
    text = changed(NETWORK, "25 km", "-25 km\n  colour: red")
    text = changed(text, "- name: Bob", "- name: Alice\n  slots: -1\n  sheet: nv")
    text = changed(text, "[Alice, Bob]", "[Alice, Eve]")
    assert [line.partition(": found")[0] for line in findings(text)] == [
        "5: nodes[1].name",
        "6: nodes[1].slots",
        "7: nodes[1].sheet",
        "9: links[0].between[1]",
        "10: links[0].length",
        "11: links[0].colour",
    ]


WORKLOAD_CASES = [
    ("0.9", "1.2", ["5: requests[0].fidelity: found 1.2, expected a fidelity in (0.5, 1)"]),
    ("0.9", "0.5", ["5: requests[0].fidelity: found 0.5, expected a fidelity in (0.5, 1)"]),
    ("0.9", "1", ["5: requests[0].fidelity: found 1, expected a fidelity in (0.5, 1)"]),
    ("0.9", "100 %", ["5: requests[0].fidelity: found '100 %', expected a fidelity in (0.5, 1)"]),
    ("0.9", "high", ["5: requests[0].fidelity: found 'high', expected a fidelity in (0.5, 1)"]),
    ("0.9", "", ["5: requests[0].fidelity: found nothing, expected a fidelity in (0.5, 1)"]),
    (", fidelity: 0.9", "", ["5: requests[0].fidelity: found nothing, expected a fidelity in (0.5, 1)"]),
    ("to: Bob", "to: Alice", ["5: requests[0].to: found 'Alice', expected another node than 'from'"]),
    ("from: Alice, ", "", ["5: requests[0].from: found nothing, expected from: the node that asks"]),
    ("0.9}", "0.9, pairs: 0}", ["5: requests[0].pairs: found 0, expected a number of at least 1"]),
    ("0.9}", "0.9, pairs: 1.5}", ["5: requests[0].pairs: found 1.5, expected a whole number"]),
    ("0.9}", "0.9, pairs: true}", ["5: requests[0].pairs: found true, expected a whole number"]),
    ("0.9}", "0.9, rate: 5}", ["5: requests[0].rate: found 5, expected a frequency such as '5 kHz' "
                               "(units: mHz, Hz, /s, 1/s, kHz, MHz, GHz, THz, /min, /h)"]),
    ("0.9}", "0.9, deadline: 0 s}", ["5: requests[0].deadline: found '0 s', expected a time above 0 such as '10 ms'"]),
    ("0.9}", "0.9, at: 6 s}", ["5: requests[0].at: found '6 s', expected a time before the end of the run, 5 s"]),
    ("0.9}", "0.9, at: 1 s, every: 1 s}", ["5: requests[0]: found at beside every, expected at (one request) or every (a stream)"]),
    ("0.9}", "0.9, every: 1 ps}", ["5: requests[0].every: found '1 ps', expected at most 1,000,000 requests in 5 s"]),
    ("0.9}", "0.9, until: 1 s}", ["5: requests[0]: found until without every, expected every: the mean time between requests"]),
    ("0.9}", "0.9, every: 1 s, start: 3 s, until: 2 s}",
     ["5: requests[0]: found until '2 s', expected a time after the start, 3 s"]),
    ("0.9}", "0.9, name: a}\n- {from: Alice, to: Bob, fidelity: 0.9, name: a}",
     ["6: requests[1].name: found a second request 'a' (first is requests[0]), expected each name once"]),
    ("0.9}", "0.9, name: 'a#1'}",
     ["5: requests[0].name: found 'a#1', expected a name without '#', which numbers the requests of streams"]),
    ("cut:", "cutt:", ["7: faults[0].cutt: found the unknown field 'cutt', expected a field (did you mean 'cut'?): "
                       "at, cut, restore, fail, recover, calibrate, break, slots, note"]),
    (", cut: Alice~Bob", "",
     ["7: faults[0]: found nothing, expected one of cut, restore, calibrate (a link), "
     "fail, recover (a node), break (slots of a node)"]),
    ("cut: Alice~Bob", "cut: a, fail: b",
     ["7: faults[0]: found cut beside fail, expected one of cut, restore, calibrate (a link), "
     "fail, recover (a node), break (slots of a node)"]),
    ("at: 1 s, ", "", ["7: faults[0].at: found nothing, expected at: when it happens"]),
    ("at: 1 s", "at: -1 s", ["7: faults[0].at: found '-1 s', expected a time of at least 0 such as '10 ms'"]),
    ("at: 1 s", "at: 5 s", ["7: faults[0].at: found '5 s', expected a time before the end of the run, 5 s"]),
    ("duration: 5 s", "duration: 5", [f"3: duration: found 5, expected a time such as '10 ms' {TIMES}"]),
    ("duration: 5 s\n", "", ["1: duration: found nothing, expected duration: how long the run lasts, such as '5 s'"]),
    ("requests:", "requests: all\nrest:",
     ["4: requests: found 'all', expected a list",
      "5: rest: found the unknown field 'rest', expected a field (did you mean 'requests'?): "
      "discipline, tenants, strangers, preempts, upkeep, shedding, "
      "kind, version, title, description, duration, requests, faults, qkd, attacks"]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), WORKLOAD_CASES)
def test_a_workload(old: str, new: str, said: list[str]) -> None:
    assert findings(changed(WORKLOAD, old, new)) == said


YAML_CASES = [
    ("kind: network\n\tversion: 1", "2: found a tab, expected spaces (YAML does not allow tabs for indentation)"),
    ("kind: network: 1", "1: found a ':' where none may stand, expected one 'key: value' on a line, or quotes around the text"),
    ("a: 'x\nb", "2: found no closing quotation mark, expected the end of the quoted text that starts on line 1"),
    ("a: [1, 2\nb: 3", "2: found no ',' or ']', expected the end of the list that starts on line 1"),
    ("a: {b: 1", "1: found no ',' or '}', expected the end of the '{...}' that starts on line 1"),
    ("- a\nb: 1", "2: found a line that does not fit in, expected the indentation of line 1"),
    ("a: @b", "1: found character '@' that cannot start any token, expected valid YAML"),
    ("a: \x01", "1: found the control character '\\x01', expected printable text"),
    ('a: "\\UFFFFFFFF"', "1: found something after this line that is not YAML, expected valid YAML"),
    ("a: *b", "1: found the alias '*b', expected an anchor '&b' that ends before it"),
    ("a: &b [*b]", "1: found the alias '*b', expected an anchor '&b' that ends before it"),
    ("? [a]\n: b", "1: found a list of 1 as a key, expected text as a key"),
    ("a: 1\n---\nb: 2", "2: found a second document, expected one document in a file"),
    ("", "1: found nothing, expected a document that starts with 'kind:'"),
    ("# nothing yet\n", "1: found nothing, expected a document that starts with 'kind:'"),
    ("~", "1: found nothing, expected a mapping that starts with 'kind: network' or 'kind: workload'"),
    ("just text", "1: found 'just text', expected a mapping that starts with 'kind: network' or 'kind: workload'"),
    ("- a\n- b", "1: found a list of 2, expected a mapping that starts with 'kind: network' or 'kind: workload'"),
    ("[" * 1000, "1: found more than 40 levels, expected lists and mappings that are less deep"),
    ("- " * 1000 + "a", "1: found more than 40 levels, expected lists and mappings that are less deep"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), YAML_CASES)
def test_what_is_not_even_yaml(text: str, said: str) -> None:
    assert findings(text) == [said]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (".inf", "'.inf', expected a finite number, or a quantity in quotes such as 'inf s'"),
        (".NaN", "'.NaN', expected a finite number, or a quantity in quotes such as 'inf s'"),
        ("1e999", "'1e999', expected a finite number"),
        ("9" * 5000, "'9999999999999999999999999999…, expected a finite number"),
        ("!!python/name:os.system x", "the tag 'tag:yaml.org,2002:python/name:os.system', expected no tags"),
        ('"\\ud800"', "half of a surrogate pair, expected Unicode text"),
    ],
)
def test_values_that_yaml_has_and_documents_do_not(value: str, said: str) -> None:
    assert f"3: title: found {said}" in findings(changed(NETWORK, "nodes:", f"title: {value}\nnodes:"))


def test_a_billion_laughs() -> None:
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert findings("\n".join(lines)) == ["5: found more than 250,000 values, expected a smaller document"]


def test_a_thousand_aliases() -> None:
    text = "a: &a 1\nb: [" + "*a, " * 1001 + "]"
    assert findings(text) == ["2: found more than 1,000 aliases, expected values written out"]


def said_of(path: Path) -> str:
    with pytest.raises(DocumentError) as caught:
        documents.load(path)
    [finding] = caught.value.findings
    assert finding.file == str(path)
    return str(finding).removeprefix(str(path))


def test_a_file_of_100_megabytes_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "big.yaml"
    with file.open("wb") as stream:
        stream.truncate(100 * 2**20)
    assert said_of(file) == ": found 100 MiB, expected a document of at most 16 MiB"
    assert MAX_BYTES == 16 * 2**20


def test_endless_data(tmp_path: Path) -> None:
    link = tmp_path / "zero.yaml"
    link.symlink_to("/dev/zero")
    assert said_of(link) == ": found endless data, expected a document of at most 16 MiB"


def test_a_missing_file(tmp_path: Path) -> None:
    assert said_of(tmp_path / "none.yaml") == ": found no such file, expected a YAML document"


def test_a_directory(tmp_path: Path) -> None:
    assert said_of(tmp_path) == ": found a directory, expected a YAML document"


def test_a_path_that_no_file_can_have() -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        documents.load("a\0b.yaml")
    with pytest.raises(DocumentError, match="cannot be read"):
        documents.load("a" * 5000)


def test_text_that_is_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes(b"kind: network\ntitle: Z\xfcrich\n")
    assert said_of(file) == ":2: found byte 0xfc, which is not UTF-8, expected text in UTF-8"


def test_utf_16(tmp_path: Path) -> None:
    file = tmp_path / "wide.yaml"
    file.write_bytes(NETWORK.encode("utf-16"))
    assert said_of(file) == ":1: found byte 0xff, which is not UTF-8, expected text in UTF-8"


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "mark.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + NETWORK.encode())
    assert isinstance(documents.load(file), documents.NetworkDocument)


def test_the_wrong_kind_of_document(tmp_path: Path) -> None:
    network, workload = tmp_path / "n.yaml", tmp_path / "w.yaml"
    network.write_text(NETWORK)
    workload.write_text(WORKLOAD)
    with pytest.raises(DocumentError, match=r"n.yaml:1: kind: found 'network', expected a workload"):
        documents.load_workload(network)
    with pytest.raises(DocumentError, match=r"w.yaml:1: kind: found 'workload', expected a network"):
        documents.load_network(workload)


def test_a_document_error_is_an_input_error_that_names_a_place() -> None:
    with pytest.raises(InputError) as caught:
        documents.parse_document(changed(NETWORK, "25 km", "-25 km"), "net.yaml")
    assert isinstance(caught.value, DocumentError)
    assert (caught.value.where, caught.value.found) == ("links[0].length", "'-25 km'")
    [finding] = caught.value.findings
    assert (finding.file, finding.line, finding.field) == ("net.yaml", 8, "links[0].length")


def test_nothing_of_pydantic_or_ruamel_is_chained() -> None:
    with pytest.raises(DocumentError) as caught:
        documents.parse_document("a: [", "net.yaml")
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
