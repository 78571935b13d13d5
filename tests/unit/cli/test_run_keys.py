"""``qfabric run --feed --pace``: keys of a workload into two stores, each when its time has come."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from quantum_fabric.cli.run import Ticker
from quantum_fabric.units import SECOND

ENDS = ("St_Poelten", "Bratislava")


class Standing:
    """A fabric as far as a ticker looks at it."""

    now = 0


def test_the_pace_waits_for_the_clock_on_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: wall[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: wall.__setitem__(0, wall[0] + seconds))
    ticker = Ticker(pace=10 * SECOND)
    ticker.fabric = Standing()  # type: ignore[assignment]
    assert not ticker()
    assert wall[0] == 100.0
    ticker.fabric.now = 45 * SECOND  # type: ignore[misc]
    assert not ticker()
    assert wall[0] == pytest.approx(104.5)
    wall[0] = 200.0
    assert not ticker()
    assert wall[0] == 200.0, "late is not made later"
    ticker.fabric.now = 10_000 * SECOND  # type: ignore[misc]
    ticker.stopped = True
    assert ticker()
    assert wall[0] == 200.0, "nobody waits for what was interrupted"


def test_without_a_pace_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("waited"))
    ticker = Ticker()
    ticker.fabric = Standing()  # type: ignore[assignment]
    ticker.fabric.now = 10**30  # type: ignore[misc]
    assert not ticker()


@pytest.mark.parametrize(
    ("network", "feed", "message"),
    [
        ("vienna-bratislava", ["kme.yaml"], "--feed: found 'kme.yaml', expected NODE=FEED"),
        ("vienna-bratislava", ["=kme.yaml"], "expected KMEs at both ends of a QKD session"),
        ("vienna-bratislava", ["Bratislava=a", "Bratislava=b"], "once for each node"),
        ("vienna-bratislava", ["Bratislava=a"], "those of this workload: St_Poelten and Bratislava"),
        ("vienna-bratislava", ["St_Poelten=a", "Bratislava=b"], "a: No such file or directory"),
        ("lab", ["Alice=a", "Bob=b"], "none in this workload"),
    ],
)
def test_kmes_that_cannot_be_fed_are_one_clear_error(
    qfabric, tmp_path: Path, network: str, feed: list[str], message: str
) -> None:
    pytest.importorskip("aiohttp")
    done = qfabric("run", network, *(part for text in feed for part in ("--feed", text)))
    assert done.code == 2
    assert message in done.words
    assert "Traceback" not in done.err
    assert list(tmp_path.iterdir()) == []


def test_keys_of_a_workload_go_into_two_stores_and_none_during_the_attack(qfabric, tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    from quantum_fabric.server.settings import load
    from quantum_fabric.server.store import Store

    assert qfabric("kme", "init", "trial").code == 0
    feed: list[str] = []
    for node, end in zip(ENDS, "ab", strict=True):
        settings = load(tmp_path / "trial" / f"kme-{end}.yaml")
        Store(settings.database(), settings.ring()).close()
        feed += ["--feed", f"{node}=trial/kme-{end}.yaml"]
    # a day and five hours: six blocks before the attack, one under it
    done = qfabric(
        "run", "vienna-bratislava", "--duration", "29 h", "--pace", "1000 h", "--out", "out", *feed
    )
    assert done.code == 0
    lines = [json.loads(line) for line in (tmp_path / "out" / "journal.jsonl").read_text().splitlines()]
    blocks = [line["m"] for line in lines if line.get("m", {}).get("type") == "KeyBlock"]
    assert [block["length"] > 0 for block in blocks] == [True] * 6 + [False]
    assert all(0.06 < block["error_rate"] < 0.08 for block in blocks[:6])
    # half of the visibility is left: (1 - 0.86 / 2) / 2, within five standard deviations of some 13,000 bits
    assert blocks[6]["error_rate"] == pytest.approx(0.285, abs=0.02)
    octets = sum(block["length"] for block in blocks) // 8
    for end in "ab":
        shown = qfabric("kme", "status", f"trial/kme-{end}.yaml").out
        assert sum(int(found) for found in re.findall(r"(\d+) octets", shown)) == octets
    assert "block 5" in done.err, "blocks are told as they come"
    assert "alarm error rate" in done.err
    replayed = qfabric("replay", "out/journal.jsonl")
    assert replayed.code == 0
