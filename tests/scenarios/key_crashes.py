"""A key store that is killed again and again while it serves, and the books after it.

Run as a program: ``python key_crashes.py PLACE ROUNDS SEED [CHILDREN]``, where PLACE is a folder or the address of a PostgreSQL
database. One process imports, then forks children for each round; each serves from several threads and tells each delivery
through a pipe *after* it had the answer; the parent kills them with SIGKILL at a random moment and audits. Exits with 1, and
says why, at the first contradiction.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import keydesk
from quantum_fabric.keys import Desk, Grant, KeyRequest, Pool, TestSource, feed, verify
from quantum_fabric.server.store import Store

HERE = Pool("kme-a", "kme-a")
BLOCK = 32 * 4000


def desk() -> Desk:
    return Desk(keydesk.policy(), keydesk.ring(), uuid4)


def opened(place: str) -> Store:
    if place.startswith("postgresql:"):
        from quantum_fabric.server.postgres import PostgresDatabase

        return Store(PostgresDatabase(place), keydesk.ring())
    return Store(Path(place) / "keys.sqlite", keydesk.ring())


def serve(place: str, pipe: int, threads: int) -> None:
    """The child: issue and collect for ever. One line for each answer: what, key, digest of the bits."""
    store, rules = opened(place), desk()

    def tell(what: str, answer: object) -> None:
        if isinstance(answer, Grant):
            lines = [
                f"{what} {key.key_id} {sha256(key.material.octets).hexdigest()}\n" for key in answer.keys
            ]
            os.write(pipe, "".join(lines).encode())  # below PIPE_BUF: whole or not at all

    def work() -> None:
        while True:
            given = store.run(lambda shelf: rules.issue(shelf, "alice", KeyRequest("anna", number=2), 0))
            if not isinstance(given, Grant):
                time.sleep(0.01)
                continue
            tell("issued", given)
            one = given.keys[0].key_id
            tell(
                "collected", store.run(lambda shelf, one=one: rules.collect(shelf, "alice", "anna", [one], 0))
            )

    for _ in range(threads):
        threading.Thread(target=work, daemon=True).start()
    time.sleep(60)


def told(pipe: int) -> list[tuple[str, UUID, str]]:
    """What the child had said before it died."""
    text = b""
    while chunk := os.read(pipe, 1 << 16):
        text += chunk
    words = [line.split() for line in text.decode().splitlines()]
    return [(what, UUID(key_id), digest) for what, key_id, digest in words]


def audit(
    place: str, fed: int, said: list[tuple[str, UUID, str]], ever: set[tuple[str, UUID]]
) -> tuple[int, int]:
    """Open the store after a crash and hold it to what was said; returns what was said and what nobody heard of."""
    store, rules = opened(place), desk()
    try:
        shelf = store.shelf
        verify(shelf.book())
        keys = {
            UUID(bytes=row[0]): row for row in shelf._do("SELECT key_id, bits, awaiting, state FROM keys")
        }
        assert shelf.stock(HERE) + sum(row[1] for row in keys.values()) // 8 == fed, (
            "every octet is accounted for"
        )
        named = {UUID(one) for entry in shelf.book() for one in json.loads(entry.facts).get("keys", [])}
        assert set(keys) == named, "no key without an entry in the audit book, and no entry without its key"
        digests: dict[UUID, str] = {}
        for what, key_id, digest in said:
            assert (what, key_id) not in ever, f"{key_id} was {what} twice"
            ever.add((what, key_id))
            assert digests.setdefault(key_id, digest) == digest, "master and slave have the same bits"
            waits = json.loads(keys[key_id][2])
            assert "alice" not in waits
            assert what == "issued" or keys[key_id][3] == "destroyed"
        for _, key_id, digest in said:
            got = store.run(lambda shelf, one=key_id: rules.collect(shelf, "alice", "anna", [one], 0))
            if ("collected", key_id) in ever:
                assert not isinstance(got, Grant), f"{key_id} would be collected twice"
            elif isinstance(got, Grant):
                ever.add(("collected", key_id))
                assert sha256(got.keys[0].material.octets).hexdigest() == digest, (
                    "the bits that the master has"
                )
            else:  # committed as collected, and killed before the child could say so: burnt, and in the book
                assert keys[key_id][3] == "destroyed", f"{key_id} was lost: {got}"
        issued = {key_id for what, key_id in ever if what == "issued"}
        return len(said), len(set(keys) - issued)
    finally:
        store.close()


def begun(place: str, threads: int) -> tuple[int, int]:
    """A child that serves: its process and the pipe it tells through."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reads)
        serve(place, writes, threads)
    os.close(writes)
    return child, reads


def main(place: str, rounds: int, seed: int, most: int) -> None:
    """Kill and audit so many times."""
    draw = random.Random(seed)
    fed, heard, unheard = 0, 0, 0
    ever: set[tuple[str, UUID]] = set()
    digests: set[str] = set()
    for number in range(rounds):
        if fed == 0 or number % 10 == 9:
            store = opened(place)
            block = TestSource("crash").block(HERE, fed, BLOCK)
            fed += store.run(lambda shelf, block=block: feed(desk(), shelf, block, 0))
            store.close()
        children = [begun(place, draw.choice((1, 3, 8))) for _ in range(draw.randint(1, most))]
        time.sleep(draw.uniform(0.0, 0.15 if most == 1 else 1.0))  # several take longer to begin
        said = []
        for child, reads in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            said += told(reads)
            os.close(reads)
        fresh = {digest for what, _, digest in said if what == "issued"}
        assert len(fresh) == sum(what == "issued" for what, _, _ in said), "two keys of the same bits"
        assert not fresh & digests, "bits that were delivered before the crash were delivered again"
        digests |= fresh
        more, unheard = audit(place, fed, said, ever)
        heard += more
    print(json.dumps({"rounds": rounds, "deliveries": heard, "burnt": unheard}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 1)
