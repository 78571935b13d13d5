"""Four key servers as processes: keys over two trusted nodes, and whoever it is, somebody is killed with SIGKILL all the time."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")

from keyserver import free_ports
from quantum_fabric.keys import KeyMaterial, Pool, verify
from quantum_fabric.keys.relay import MemoryPads, RelayNode
from quantum_fabric.keys.relay.keeping import resume
from quantum_fabric.server.relay_house import _STATE
from quantum_fabric.server.running import trial
from quantum_fabric.server.settings import KmeSettings, load
from quantum_fabric.server.sqlite import SqliteShelf

NAMES = ("kme-a", "kme-b", "kme-r", "kme-s")
STOCK, BLOCK, BLOCKS = 8192, 512, 3
AB = Pool("kme-a", "kme-b")


class Site:
    """One KME as a process."""

    def __init__(self, folder: Path, name: str) -> None:
        self.file = folder / f"{name}.yaml"
        self.settings: KmeSettings = load(self.file)
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "quantum_fabric", "kme", "serve", str(self.file)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        assert "serves" in self.process.stdout.readline()

    def end(self, how: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(how)
            process.communicate(timeout=30)

    def look(self, pool: Pool) -> tuple[int, list[bytes]]:
        """Octets of a pool, and the blocks that were relayed into it, opened."""
        assert isinstance(self.settings.store, Path)
        connection = sqlite3.connect(f"file:{self.settings.store}?mode=ro", uri=True)
        try:
            shelf, ring = SqliteShelf(connection), self.settings.ring()
            blocks: dict[str, bytes] = {}
            for cell, sealed in shelf.cells(pool, 1 << 30):
                if cell.provenance.source.startswith("relayed"):
                    bits = ring.open(cell.identifier, sealed)  # held, or it is wiped before it is copied
                    blocks[str(cell.block)] = blocks.get(str(cell.block), b"") + bytes(bits.octets)
            return shelf.stock(pool), [blocks[name] for name in sorted(blocks)]
        finally:
            connection.close()

    def quiet(self) -> bool:
        """Whether its node holds nothing and waits for nothing; the audit book is checked on the way."""
        assert isinstance(self.settings.store, Path)
        connection = sqlite3.connect(f"file:{self.settings.store}?mode=ro", uri=True)
        try:
            shelf = SqliteShelf(connection)
            verify(shelf.book())
            sealed = shelf.kept("relay")
            node = RelayNode(self.settings.kme, MemoryPads(self.settings.kme))
            if sealed is not None:
                kept: KeyMaterial = self.settings.ring().open(_STATE, sealed)
                resume(node, kept)
            return node.quiet
        finally:
            connection.close()


def lay_out(folder: Path) -> None:
    homes = {name: [f"sae-of-{name}"] for name in NAMES}
    for path in trial(folder, homes, free_ports(2 * len(NAMES))):
        text = path.read_text().replace("test_supply:", f"test_supply:\n  octets: {STOCK}")
        relay = "relay: {relays: true}\n"
        if path.stem == "kme-a":
            supply = f"target: kme-b, paths: [[kme-a, kme-r, kme-b], [kme-a, kme-s, kme-b]], octets: {BLOCK}"
            relay = f"relay: {{supplies: [{{{supply}, below: {STOCK + BLOCKS * BLOCK}, patience_seconds: 600}}]}}\n"
        path.write_text(text + relay)


def test_whoever_is_killed_stocks_agree_in_the_end(tmp_path: Path) -> None:
    folder, dice = tmp_path / "x", random.Random(5)
    lay_out(folder)
    sites = {name: Site(folder, name) for name in NAMES}
    kills = 0
    try:
        for site in sites.values():
            site.start()
        end = time.monotonic() + 240
        while sites["kme-a"].look(AB)[0] < STOCK + BLOCKS * BLOCK or kills < 6:
            assert time.monotonic() < end, "it does not come to an end"
            victim = sites[dice.choice(NAMES)]
            time.sleep(dice.uniform(0.05, 0.5))
            victim.end(signal.SIGKILL)
            victim.start()
            kills += 1
        while not all(site.quiet() for site in sites.values()):
            assert time.monotonic() < end, "something is held for ever"
            time.sleep(0.2)
    finally:
        for site in sites.values():
            site.end(signal.SIGKILL)
    ours, theirs = sites["kme-a"].look(AB), sites["kme-b"].look(AB)
    assert ours == theirs
    assert ours[0] == STOCK + BLOCKS * BLOCK
    assert [len(block) for block in ours[1]] == [BLOCK] * BLOCKS
    assert len(set(ours[1])) == BLOCKS
    for one in NAMES:
        for other in NAMES:
            if one != other:
                pool = Pool(one, other)
                assert sites[one].look(pool)[0] == sites[other].look(pool)[0], pool
