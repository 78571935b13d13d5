"""A KEK rotation that is killed again and again: what was sealed before opens after, and the rotation comes to its end.

Run as a program: ``python key_rotation_crashes.py FOLDER ROUNDS SEED``. Each round begins a rotation to a new KEK in a child that also
hands keys out, kills it with SIGKILL at a random moment (some several times), audits every row, and lets it finish.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from uuid import UUID, uuid4

import keydesk
from quantum_fabric.keys import Desk, Grant, KeyRequest, KeyRing, Pool, Sealed, verify
from quantum_fabric.server.store import Store

HERE = Pool("kme-a", "kme-a")
ROWS = 4000


def ring(number: int) -> KeyRing:
    """The KEK of a round, and the one before."""
    older = (keydesk.kek(f"kek-{number - 1}"),) if number else ()
    return keydesk.ring(f"kek-{number}", older)


def child(path: Path, number: int) -> None:
    """Rotate, and serve at the same time."""
    keys = ring(number)
    store, desk = Store(path, keys), Desk(keydesk.policy(), keys, uuid4)

    def serve() -> None:
        while True:
            given = store.run(lambda shelf: desk.issue(shelf, "alice", KeyRequest("anna"), 0))
            assert isinstance(given, Grant), given

    threading.Thread(target=serve, daemon=True).start()
    store.rotate(desk, 0)
    time.sleep(60)


def audit(path: Path, number: int, plain: bytes) -> int:
    """Open every row with the two KEKs there may be; returns how many are still under the old one."""
    keys = ring(number)
    store = Store(path, keys)
    try:
        shelf = store.shelf
        verify(shelf.book())
        cells = shelf.cells(HERE, 1 << 40)
        for cell, sealed in cells:
            material = keys.open(cell.identifier, sealed)  # kept: it wipes itself when nobody holds it
            assert bytes(material.octets) == plain[cell.offset : cell.offset + cell.octets], (
                "the bits of that place"
            )
        rows = shelf._do("SELECT key_id, kek, sealed FROM keys WHERE sealed IS NOT NULL")
        issued = [(UUID(bytes=row[0]), Sealed(row[1], row[2])) for row in rows]
        spent = set()
        for key_id, sealed in issued:
            material = keys.open(key_id, sealed)
            octets = bytes(material.octets)
            assert octets not in spent
            spent.add(octets)
            assert plain.index(octets) % 32 == 0
        assert len(cells) + len(issued) == ROWS, "nothing is lost"
        old = f"kek-{number - 1}"
        return sum(sealed.kek == old for _, sealed in (*cells, *issued))
    finally:
        store.close()


def main(folder: Path, rounds: int, seed: int) -> None:
    """Kill, audit, finish."""
    path, draw = folder / "keys.sqlite", random.Random(seed)
    store = Store(path, ring(0))
    start = Desk(keydesk.policy(), ring(0), uuid4)
    plain = store.run(lambda shelf: keydesk.stock(start, shelf, "kme-a", "kme-a", 32 * ROWS))
    store.close()
    half_way = 0
    for number in range(1, rounds + 1):
        for _ in range(draw.choice((1, 1, 3))):
            process = os.fork()
            if process == 0:
                child(path, number)
            time.sleep(draw.uniform(0.0, 0.25))
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            half_way += 0 < audit(path, number, plain) < ROWS
        keys = ring(number)
        store = Store(path, keys)
        store.rotate(Desk(keydesk.policy(), keys, uuid4), 0)
        store.close()
        assert audit(path, number, plain) == 0
        Store(path, keydesk.ring(f"kek-{number}")).close()  # the old KEK can go
    print(json.dumps({"rounds": rounds, "half_way": half_way}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
