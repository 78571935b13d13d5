"""The national example, looked at more closely: every relay is broken into, alone and in pairs, and reads what was predicted."""

from __future__ import annotations

import importlib.util
import itertools
import json
import random
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from quantum_fabric import documents, keys
from quantum_fabric.cli import main
from quantum_fabric.keys import relay

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "10_national_keys.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("national_keys", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def ran(example: ModuleType) -> tuple[Any, dict[Any, relay.Route], dict[Any, bytes], relay.Boundary]:
    relays = [f"{row}{column}" for row in example.ROWS for column in example.COLUMNS]
    assert len(relays) == 32
    plant, routes, truth, boundary = example.main(relays)
    return plant, routes, truth, boundary


def test_each_relay_reads_just_what_was_predicted(example: ModuleType, ran: Any) -> None:
    plant, routes, truth, boundary = ran
    read = Counter()
    for node in sorted(boundary.keys.relays):
        stolen = example.break_in(plant, [node], routes)
        certain = set(boundary.of_node(node).certain)
        assert set(stolen) == {name for name, route in routes.items() if example.ends_of(route) in certain}
        assert set(stolen) == {
            name for name, route in routes.items() if relay.learns(route.paths, {node}).key
        }
        assert all(truth[name] == key for name, key in stolen.items())
        read[len(stolen) > 0] += 1
    assert read == {True: 4, False: 28}, "the four on which a site hangs alone, and nobody else"


def test_two_relays_read_just_what_the_algebra_says(example: ModuleType, ran: Any) -> None:
    plant, routes, truth, boundary = ran
    every = list(itertools.combinations(sorted(boundary.keys.relays), 2))
    more = 0
    for both in random.Random(3).sample(every, 60):
        stolen = example.break_in(plant, both, routes)
        assert set(stolen) == {name for name, route in routes.items() if relay.learns(route.paths, both).key}
        assert all(truth[name] == key for name, key in stolen.items())
        alone = {name for node in both for name in example.break_in(plant, [node], routes)}
        more += len(set(stolen) - alone)
    assert more > 0, "some pair reads together what neither reads alone"


def test_supply_custody_and_delivery_add_up(ran: Any) -> None:
    plant, routes, truth, _ = ran
    spent: Counter[tuple[str, str]] = Counter()
    for route in routes.values():
        spent.update(route.uses)
    for link in plant.network.links:
        for spender, follower in ((link.a, link.b), (link.b, link.a)):
            left = 8 * plant.pads[spender].left(spender, follower)
            assert left == 8 * plant.pads[follower].left(spender, follower)
            assert link.stored(spender) - left == spent[spender, follower]
    assert all(node.quiet for node in plant.nodes.values())
    assert not plant.failed
    assert len(truth) == len(set(truth.values())) == len(routes) > 100, "no two keys are the same"
    assert plant.lost > 100


def test_no_octet_of_link_key_covers_two_things(ran: Any) -> None:
    """From what crossed the wires: places of pads and of tags, of all different messages."""
    plant, *_ = ran
    used: Counter[tuple[str, str, Any, int]] = Counter()
    for message in set(plant.heard):
        places = list(message.lock)
        payload = getattr(message, "payload", None)
        places += payload.pad if isinstance(payload, relay.Carry) else ()
        for place in places:
            for octet in range(place.offset, place.offset + place.octets, 8):
                used[message.sender, message.receiver, place.block, octet] += 1
    assert set(used.values()) == {1}


def test_the_command_predicts_the_same(
    example: ModuleType, ran: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, boundary = ran
    path = tmp_path / "national.yaml"
    path.write_text(documents.dump(example.national_network()))
    capsys.readouterr()
    assert main(["trust", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert len(said["ends"]) == 16
    for node in said["nodes"]:
        one = boundary.of_node(node["name"])
        assert [tuple(pair) for pair in node["reads_whatever_the_routes"]] == list(one.certain)
    assert {node["name"] for node in said["nodes"] if node["reads_whatever_the_routes"]} == {
        "A1",
        "A3",
        "A5",
        "A7",
    }


def test_the_stock_of_the_sites_was_used_up(ran: Any, example: ModuleType) -> None:
    """What was relayed is what was handed out: 512 bits in, two keys of 256 bits out; a third is refused."""
    _, routes, truth, _ = ran
    route = next(iter(routes.values()))
    ends = (route.paths[0][0], route.paths[0][-1])
    sites = {name: example.Site(name, {"x": ends[0], "y": ends[1]}, [("x", "y")]) for name in ends}
    given = {
        end: relay.Delivered(
            next(iter(truth)), *ends, keys.KeyMaterial(next(iter(truth.values()))), route.paths
        )
        for end in ends
    }
    example.take_in(sites, given, route)
    whole = b"".join(example.hand_out(sites[ends[0]], sites[ends[1]], "x", "y")[0] for _ in range(2))
    assert whole == next(iter(truth.values()))
    site = sites[ends[0]]
    third = site.desk.issue(site.shelf, "x", keys.KeyRequest("y"), 0)
    assert isinstance(third, keys.Refusal)
    assert third.status == 503
