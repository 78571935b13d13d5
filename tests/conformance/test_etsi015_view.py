"""The entanglement network as nodes of ETSI GS QKD 015: in the model by its table, and by its YANG modules where they are at hand."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from quantum_fabric.documents import inventory, load_network, topology
from quantum_fabric.errors import UnknownNameError
from quantum_fabric.messages import LinkRequest, Plan
from quantum_fabric.network import plan
from quantum_fabric.server.etsi015_tree import IDENTITIES, NODE, TYPES, Inner, Leaf
from quantum_fabric.standards.etsi015 import Admitted, State, error_rates, key_fraction, name_of, node, tree

TOP = "etsi-qkd-sdn-node:qkd_node"
FORMS = {
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "string": r".*",
    "decimal64": r"-?\d+\.\d{1,3}",
}


def conforms(schema: Inner | Leaf, value: Any, where: str) -> int:
    """Check a value against the table of names and types; returns the number of leaves."""
    if isinstance(schema, Leaf):
        values = value if schema.many else [value]
        assert isinstance(values, list), where
        for one in values:
            if schema.kind == "uint32":
                assert type(one) is int, where
                assert 0 <= one < 2**32, where
            elif schema.kind == "boolean":
                assert isinstance(one, bool), where
            elif schema.kind in IDENTITIES:
                module, _, name = one.partition(":")
                assert (module, name in IDENTITIES[schema.kind]) == (TYPES, True), (where, one)
            else:
                assert re.fullmatch(FORMS[schema.kind], one), (where, one)
        return len(values)
    entries = value if schema.key else [value]
    assert isinstance(entries, list), where
    if schema.key:
        keys = [one[schema.key] for one in entries]
        assert len(set(keys)) == len(keys), f"{where}: keys are unique"
    leaves = 0
    for one in entries:
        assert set(one) <= set(schema.children), f"{where}: {set(one) - set(schema.children)}"
        leaves += sum(
            conforms(schema.children[name], inner, f"{where}/{name}") for name, inner in one.items()
        )
    return leaves


def admitted(network: Any) -> list[Admitted]:
    found = []
    for number, (a, b) in enumerate((("NU", "UChicago_PME"), ("NU", "StarLight"))):
        made = plan(network, LinkRequest(a, b, 0.7))
        assert isinstance(made, Plan)
        found.append(Admitted(f"r{number}", made, number))
    return found


def trees(state: State | None = None) -> dict[str, dict[str, Any]]:
    network = topology(inventory(load_network("chicago")))
    requests = admitted(network)
    return {name: node(network, name, "0.1", requests, state) for name in network.nodes}


def test_every_node_is_in_the_model() -> None:
    for name, found in trees().items():
        assert conforms(NODE, json.loads(json.dumps(found)), name) > 15
        for link in found["qkd_links"]["qkd_link"]:
            kind = link["qkdl_type"].partition(":")[2]
            other = {"PHYS": "virt_", "VIRT": "phys_"}[kind]
            assert not any(leaf.startswith(other) for leaf in link), "a `when` of the module"


def test_the_check_sees_faults() -> None:
    found = trees()["NU"]
    for change in (
        {"colour": 1},
        {"qkdn_id": "NU"},
        {"qkdn_status": "OPERATING"},
        {"qkd_links": {"qkd_link": found["qkd_links"]["qkd_link"] * 2}},
    ):
        with pytest.raises(AssertionError):
            conforms(NODE, found | change, "NU")


def test_nodes_agree_on_links_and_requests() -> None:
    found = trees()
    by_id: dict[str, list[dict[str, Any]]] = {}
    for each in found.values():
        for link in each["qkd_links"]["qkd_link"]:
            by_id.setdefault(link["qkdl_id"], []).append(link)
    network = topology(inventory(load_network("chicago")))
    for view in network.links.values():
        one, other = by_id[name_of("link", view.name)]
        assert one["qkdl_local"] == other["qkdl_remote"]
        assert one["qkdl_performance"] == other["qkdl_performance"]
        ends = {link["qkdl_local"]["qkdn_id"] for link in (one, other)}
        assert ends == {name_of("node", view.a), name_of("node", view.b)}
        interfaces = {i["qkdi_id"]: i for i in found[view.a]["qkd_interfaces"]["qkd_interface"]}
        local = next(
            link for link in (one, other) if link["qkdl_local"]["qkdn_id"] == name_of("node", view.a)
        )
        assert view.name in interfaces[local["qkdl_local"]["qkdi_id"]]["qkdi_model"]
    for request in admitted(network):
        hops = by_id[name_of("request", request.name)]
        path = request.plan.path
        assert len(hops) == len(path)
        following = {hop.get("virt_prev_hop"): hop for hop in hops}
        walked, here = [], None
        while following.get(here) is not None:  # hop by hop, by what each node says of the one before
            walked.append(here)
            nexts = following[here].get("virt_next_hop")
            here = name_of("node", path[len(walked) - 1])
            assert nexts is None or nexts == [name_of("node", path[len(walked)])]
        assert len(walked) == len(path)


def test_performance_is_the_links_own() -> None:
    network = topology(inventory(load_network("chicago")))
    view = network.links_at("NU")[0]
    bare = node(network, "NU", "0.1")["qkd_links"]["qkd_link"][0]
    point = view.model.heralding(None, 1)
    a, b, c, d = point.weights

    def h(p: float) -> float:
        return -(p * math.log(p) + (1 - p) * math.log(1 - p)) / math.log(2) if 0 < p < 1 else 0.0

    bits = max(0.0, 1 - h(b + d) - h(c + d)) * point.success / (point.period * 1e-12)
    assert bare["qkdl_performance"]["skr"] == pytest.approx(bits, abs=1.0)
    assert bare["qkdl_performance"]["expected_consumption"] == 0
    assert float(bare["qkdl_performance"]["phys_perf"][0]["value"]) == pytest.approx(
        50 * (b + c + 2 * d), abs=1e-3
    )
    seen = node(network, "NU", "0.1", (), State(measured={view.name: (1000.0, (1.0, 0.0, 0.0, 0.0))}))
    assert seen["qkd_links"]["qkd_link"][0]["qkdl_performance"]["skr"] == 1000
    assert a > 0.0


def test_faults_show() -> None:
    network = topology(inventory(load_network("chicago")))
    view = network.links_at("NU")[0]
    dark = node(network, "NU", "0.1", (), State(dark=[view.name]))
    assert dark["qkd_links"]["qkd_link"][0]["qkdl_status"].endswith(":OFF")
    assert dark["qkd_links"]["qkd_link"][0]["qkdl_performance"]["skr"] == 0
    assert dark["qkd_interfaces"]["qkd_interface"][0]["qkdi_status"].endswith(":FAILED")
    assert node(network, "NU", "0.1", (), State(down=["NU"]))["qkdn_status"].endswith(":FAILURE")
    with pytest.raises(UnknownNameError):
        tree(network, "Atlantis", "0.1")


def test_key_fraction_by_hand() -> None:
    """At 11 % of each error nothing is left (Shor and Preskill 2000)."""
    assert error_rates((0.8, 0.1, 0.1, 0.0)) == (0.1, 0.1)
    p = 0.110027864
    assert key_fraction((1 - 2 * p, p, p, 0.0)) == pytest.approx(0.0, abs=1e-6)
    assert key_fraction((0.5, 0.0, 0.5, 0.0)) == 0.0


YANG = os.environ.get("QFABRIC_YANG", "")


@pytest.mark.skipif(not shutil.which("yanglint"), reason="no yanglint (Debian: libyang2-tools)")
@pytest.mark.skipif(not YANG, reason="QFABRIC_YANG names no folder with ETSI's YANG modules")
def test_yanglint_agrees(tmp_path: Path) -> None:
    """As in tests/contracts/test_etsi015.py: a `when` of the module names an identity without its prefix, which is mended here."""
    for path in Path(YANG).glob("*.yang"):
        text = path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_text(
            re.sub(r"= '(PHYS|VIRT)'", r"= 'etsi-qkdn-types:\1'", text), encoding="utf-8"
        )
    modules = [str(tmp_path / f"{one}.yang") for one in (TYPES, "etsi-qkd-sdn-node")]

    def lint(body: dict[str, Any]) -> bool:
        file = tmp_path / "data.json"
        file.write_text(json.dumps(body))
        command = ["yanglint", "-p", str(tmp_path), "-f", "json", "-t", "data", *modules, str(file)]
        return (
            subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).returncode == 0
        )

    for found in trees().values():
        assert lint({TOP: found})
    assert not lint({TOP: trees()["NU"] | {"qkdn_id": "x"}})
