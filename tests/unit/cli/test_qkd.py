"""``qfabric qkd`` and QKD in ``qfabric run``: numbers, alarms, files, and what is said of bad input."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cryptography")

from quantum_fabric.cli.key_feed import feeder
from quantum_fabric.errors import InputError

TOWN = """\
kind: network
version: 1
defaults: {profile: future}
nodes: [{name: Office, slots: 8}, {name: Mast, slots: 8}, {name: Depot, slots: 8}]
links:
  - name: dark fibre
    between: [Office, Depot]
    length: 25 km
    architecture: direct_transmission
    carrier: fibre/smf-28
    source: {sheet: weak_pulse/gigahertz, overrides: {signal_share: 60 %, decoy_share: 28 %, decoy: 0.15}}
    station: {detector: snspd-fast}
  - name: pair fibre
    between: [Office, Mast]
    length: 20 km
    architecture: pair_distribution
    source: pair_source/sagnac-cw
    station: {detector: snspd-fast}
  - {between: [Mast, Depot], length: 20 km}
controller: Office
"""
KEYS = """\
kind: workload
version: 1
duration: 1 s
qkd:
  - {name: office keys, from: Office, to: Depot, link: dark fibre, block: 8 ms, every: 200 ms}
attacks:
  - {kind: intercept_resend, link: dark fibre, at: 300 ms, until: 700 ms, fraction: 0.5}
  - {kind: compromised_node, node: Depot, at: 0 s}
"""
Run = Callable[..., Any]
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def town(qfabric: Run, tmp_path: Path) -> Run:
    (tmp_path / "town.yaml").write_text(TOWN)
    (tmp_path / "keys.yaml").write_text(KEYS)
    return qfabric


def test_rates_are_the_golden_ones(qfabric: Run) -> None:
    done = qfabric(
        "qkd",
        "rate",
        "-p",
        "bb84",
        "-p",
        "plob",
        "--hardware",
        "gys",
        "--to",
        "100 km",
        "--points",
        "3",
        "--json",
    )
    shape = json.loads(done.out)
    assert done.code == 0
    assert shape["curves"][0]["bits"] == pytest.approx([2.55458e-3, 2.2260e-4, 1.7184e-5], rel=1e-3)
    assert shape["curves"][1]["bits"][0] is None  # no bound at no distance
    assert shape["hardware"]["attenuation_db_per_km"] == pytest.approx(0.21)


def test_rates_as_files_and_as_a_table(qfabric: Run, tmp_path: Path) -> None:
    done = qfabric(
        "qkd", "rate", "-p", "bb84", "-p", "sns", "--to", "200 km", "--points", "5", "-o", "r.svg", "-o", "r.csv", "-o", "r.parquet",
        "--efficiency", "20 %", "--attenuation", "0.17 dB/km",
    )  # fmt: skip
    assert done.code == 0
    assert "> 200 km" in done.words
    assert {path.name for path in tmp_path.iterdir()} == {"r.svg", "r.csv", "r.parquet"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-p", "sarg"], "--protocol: found 'sarg', expected one of bb84,"),
        (["--hardware", "mine"], "--hardware: found 'mine', expected one of lim2014,"),
        (["-o", "r.txt"], "--out: found 'r.txt', expected a file that ends with"),
        (["--from", "400 km"], "--from: found 400 km, expected a distance from 0 up to --to"),
        (["--efficiency", "120 %"], "efficiency: found 1.2, expected values in"),
    ],
)
def test_rates_refuse_what_makes_no_sense(arguments: list[str], said: str, qfabric: Run) -> None:
    done = qfabric("qkd", "rate", "-p", "plob", *arguments)
    assert (done.code, said in done.words) == (2, True)


def test_attacks_are_listed(qfabric: Run) -> None:
    shape = json.loads(qfabric("qkd", "attacks", "--json").out)
    assert len(shape["attacks"]) == 11
    assert "back light" in qfabric("qkd", "attacks").out


def test_a_session_over_weak_pulses(town: Run) -> None:
    done = town("qkd", "run", "town.yaml", "--between", "Office", "Depot", "--block", "8 ms", "--blocks", "2")
    assert done.code == 0
    assert "bits of key at each end, from 2 of 2 blocks" in done.out
    for word in (
        "amplification",
        "authentication: 2,048 bits at the start, 1,024 put back",
        "nothing about these keys is secret",
    ):
        assert word in done.words
    shape = json.loads(
        town(
            "qkd",
            "run",
            "town.yaml",
            "--between",
            "Office",
            "Depot",
            "--block",
            "8 ms",
            "--blocks",
            "2",
            "--json",
        ).out
    )
    assert shape["bits"] == sum(block["length"] for block in shape["blocks"]) > 50_000
    assert [entry["bits"] for entry in shape["authentication"][:2]] == [2048, -128]


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        ("intercept_resend=0.4", "alarm error rate"),
        ("photon_number_splitting", "alarm decoy yields"),
        ("blinding", "alarm self-test"),
        ("time_shift", "alarm arrival times"),
        ("trojan_horse", "alarm back light"),
        ("denial_of_service", "alarm gain"),
        ("man_in_the_middle", "alarm authentication"),
    ],
)
def test_each_attack_stops_the_keys_with_its_alarm(attack: str, said: str, town: Run) -> None:
    done = town(
        "qkd",
        "run",
        "town.yaml",
        "--between",
        "Office",
        "Depot",
        "--block",
        "8 ms",
        "--blocks",
        "1",
        "--attack",
        attack,
    )
    assert (done.code, said in done.out) == (1, True)
    assert "0 bits of key at each end" in done.out


def test_attacks_that_nothing_shows_are_said_to_be_so(town: Run) -> None:
    call = ("qkd", "run", "town.yaml", "--between", "Office", "Depot", "--block", "8 ms", "--blocks", "1")
    node = town(*call, "--attack", "compromised_node")
    assert (node.code, "no alarm can show it: never seen: every key of the node is known" in node.words) == (
        0,
        True,
    )
    horse = town(*call, "--attack", "trojan_horse", "--unwatched")
    assert (horse.code, "no alarm can show it: not seen; up to 1 - exp(-photons)" in horse.words) == (0, True)
    assert "alarm " not in horse.out.replace("no alarm can", "")


@pytest.mark.parametrize("protocol", ["bbm92", "e91", "six_state"])
def test_sessions_over_pairs_of_photons(protocol: str, town: Run) -> None:
    done = town(
        "qkd",
        "run",
        "town.yaml",
        "--between",
        "Office",
        "Mast",
        "--protocol",
        protocol,
        "--block",
        "1 s",
        "--blocks",
        "1",
    )
    assert (done.code, "from 1 of 1 blocks" in done.out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "bar"),
    [
        (("Office", "Depot", "--block", "8 ms"), "blocks"),
        (("Depot", "Mast", "--fidelity", "0.97", "--pairs", "500"), "pairs of block 0"),
    ],
)
def test_a_bar_shows_how_far_a_session_is_and_only_on_a_terminal(
    arguments: tuple[str, ...], bar: str, town: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = ("qkd", "run", "town.yaml", "--blocks", "1", "--between", *arguments)
    plain = town(*call)
    assert bar + " ━" not in plain.out + plain.err
    assert plain.err == ""
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = COLOURS.sub("", town(*call).out)
    assert re.search(rf"{bar} ━+ +0% ", shown), "it stands there before anything is done"
    assert re.search(rf"{bar} ━+ 100% ", shown)
    # the line of the block takes the place of the bar, which is drawn anew below it
    assert re.search(r"[\r\n]block 0: [^━]*\n\r?" + bar, shown)
    found = town(*call, "--json")
    json.loads(found.out)
    assert re.search(rf"{bar} ━+ 100% ", COLOURS.sub("", found.err))


def test_a_session_over_memories(town: Run) -> None:
    call = ("qkd", "run", "town.yaml", "--between", "Depot", "Mast", "--blocks", "1", "--fidelity", "0.97")
    done = town(*call, "--pairs", "8000")
    assert done.code == 0
    assert "pairs over Depot – Mast" in done.out
    assert "from 1 of 1 blocks" in done.out
    hit = town(*call, "--pairs", "2500", "--attack", "intercept_resend")
    assert (hit.code, "alarm error rate" in hit.out) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--between", "Office", "Nobody"],
            "--between: found 'Nobody', expected one of the nodes Depot, Mast, Office",
        ),
        (["--between", "Office", "Depot", "--link", "x"], "--link: found 'x', expected a link of photons"),
        (
            ["--between", "Office", "Depot", "--attack", "magic"],
            "--attack: found 'magic', expected one of intercept_resend",
        ),
        (
            ["--between", "Office", "Depot", "--attack", "blinding=x"],
            "--attack: found 'x', expected a number",
        ),
        (["--between", "Depot", "Office"], "expected a link from 'Depot' to 'Office', sender first"),
        (["--between", "Office", "Depot", "--protocol", "e91"], "found e91 over direct_transmission"),
        (
            ["--between", "Depot", "Mast", "--attack", "blinding"],
            "expected intercept_resend, on pairs from memories",
        ),
        (["--between", "Depot", "Mast", "--fidelity", "0.9999"], "a refusal"),
        (["--between", "Office", "Depot", "--feed", "kme.yaml"], "--feed: found 1 settings, expected two"),
    ],
)
def test_sessions_refuse_what_makes_no_sense(arguments: list[str], said: str, town: Run) -> None:
    done = town("qkd", "run", "town.yaml", *arguments)
    assert (done.code, said in done.words) == (2, True)


def test_a_run_shows_error_rate_and_supply_under_attack(town: Run, tmp_path: Path) -> None:
    done = town("run", "town.yaml", "--workload", "keys.yaml", "--out", "out")
    assert done.code == 0
    assert "2 × alarm: error rate" in done.words
    assert "no alarm can show compromised_node on Depot: never seen" in done.words
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<h2>Keys</h2>" in page
    assert "key / kbit" in page
    lines = [json.loads(line) for line in (tmp_path / "out" / "journal.jsonl").read_text().splitlines()]
    blocks = [line["m"] for line in lines if line.get("m", {}).get("type") == "KeyBlock"]
    assert [block["length"] > 0 for block in blocks] == [True, True, False, False, True]
    assert [block["error_rate"] > 0.1 for block in blocks] == [False, False, True, True, False]
    again = town("replay", "out/journal.jsonl")
    assert (again.code, "bit for bit" in again.out) == (0, True)


def test_a_session_over_a_repeater_in_a_run(town: Run, tmp_path: Path) -> None:
    """Pairs as they are delivered through the mast; the eavesdropper sits on the halves of the far end for some time."""
    (tmp_path / "path.yaml").write_text(
        "kind: workload\nversion: 1\nduration: 1300 ms\n"
        "qkd:\n  - {name: far, from: Office, to: Depot, protocol: bbm92, pairs: 800, fidelity: 0.96}\n"
        "attacks:\n  - {kind: intercept_resend, session: far, at: 600 ms}\n"
    )
    (tmp_path / "town.yaml").write_text(
        TOWN.replace(
            "  - {between: [Mast", "  - {between: [Office, Mast], length: 20 km}\n  - {between: [Mast"
        )
    )
    done = town("run", "town.yaml", "--workload", "path.yaml", "--out", "out")
    assert done.code == 0
    lines = [json.loads(line) for line in (tmp_path / "out" / "journal.jsonl").read_text().splitlines()]
    blocks = [line["m"] for line in lines if line.get("m", {}).get("type") == "KeyBlock"]
    assert len(blocks) >= 3
    assert blocks[0]["reason"].endswith("sifted bits, 1000 wanted")
    assert blocks[0]["error_rate"] < 0.06
    assert blocks[-1]["reason"] == "alarm: error rate"
    assert blocks[-1]["error_rate"] > 0.15
    assert all(block["detections"] == 800 for block in blocks)


def test_keys_go_into_the_stores_of_two_kmes(town: Run, tmp_path: Path) -> None:
    """The stores are those of a trial that has begun: what an SAE then gets is what was distilled."""
    pytest.importorskip("aiohttp")
    from quantum_fabric.server.settings import load
    from quantum_fabric.server.store import Store

    assert town("kme", "init", "trial").code == 0
    paths = tuple(tmp_path / "trial" / f"kme-{end}.yaml" for end in "ab")
    with pytest.raises(InputError, match="a KME that has served"):
        feeder(paths, ("Office", "Depot"))
    for path in paths:
        settings = load(path)
        Store(settings.database(), settings.ring()).close()
    feed = [part for path in paths for part in ("--feed", str(path))]
    done = town(
        "qkd",
        "run",
        "town.yaml",
        "--between",
        "Office",
        "Depot",
        "--block",
        "8 ms",
        "--blocks",
        "1",
        "--json",
        *feed,
    )
    octets = json.loads(done.out)["bits"] // 8
    for path in paths:
        shown = town("kme", "status", str(path)).out
        stock = [int(line.split()[-2]) for line in shown.splitlines() if "stock" in line]
        assert sum(stock) == octets
        assert len(stock) == 2
