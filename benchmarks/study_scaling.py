"""How studies grow with workers: ``python -m benchmarks.study_scaling``; add ``--cluster`` for a Dask cluster of real processes.

Two kinds of work, in chunks as studies cut them. *Sleeping* chunks cost no processor, so that they show what the executor costs
itself, for more workers than a machine has cores. *Burning* chunks are simulations, and grow no further than the cores.
Each number is the wall time of all chunks with workers that were started and warmed up before.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quantum_fabric.studies.dask_cluster import DaskCluster
from quantum_fabric.studies.executors import Do, Pool, Rows
from quantum_fabric.studies.work import Chunk, Order, Task, work

NAP = 0.5
"""Seconds that a sleeping chunk takes."""

ORDER = Order(
    {"link": {"distance": "60 km", "segments": 2}, "request": {"fidelity": 0.9, "pairs": 100}},
    "twin",
    1,
    frozenset(),
)


def nap(order: Order, chunk: Chunk) -> Rows:
    """Sleep for as long as a chunk says."""
    time.sleep(NAP)
    return {(task.point, run): {} for task in chunk.tasks for run in range(task.first, task.last)}


def hello(order: Order, chunk: Chunk) -> Rows:
    """Who am I? Takes a moment, so that the others get their turn."""
    time.sleep(0.1)
    return {(task.point, 0): {"process": float(os.getpid())} for task in chunk.tasks}


def chunks(count: int, runs: int = 1) -> list[Chunk]:
    return [Chunk((Task(number, (), 0, runs),)) for number in range(count)]


def wall(hands: Pool | DaskCluster, do: Do, count: int, runs: int = 1) -> float:
    """Seconds for so many chunks, after every worker has been heard and has worked."""
    hands.do = hello
    heard: set[float] = set()
    while len(heard) < hands.workers:
        heard |= {
            row["process"] for _, rows in hands.run(ORDER, chunks(hands.workers)) for row in rows.values()
        }
    hands.do = do
    if do is work:
        for _ in hands.run(ORDER, chunks(2 * hands.workers)):
            pass
    before = time.perf_counter()
    done = sum(1 for _ in hands.run(ORDER, chunks(count, runs)))
    assert done == count
    return time.perf_counter() - before


@contextmanager
def pool(workers: int) -> Iterator[Pool]:
    hands = Pool(workers)
    try:
        yield hands
    finally:
        hands.close()


@contextmanager
def dask(workers: int) -> Iterator[DaskCluster]:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from studybench import cluster

    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder), workers) as there:
        hands = DaskCluster(there.address)
        try:
            yield hands
        finally:
            hands.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cluster", action="store_true", help="on a Dask cluster of real processes, not the local pool"
    )
    parser.add_argument("--chunks", type=int, default=48, help="chunks of each measurement")
    parser.add_argument("--work", choices=("sleeping", "burning", "both"), default="both")
    options = parser.parse_args()
    place = dask if options.cluster else pool
    print(
        f"{'Dask cluster' if options.cluster else 'local pool'}, {options.chunks} chunks, {os.cpu_count()} cores"
    )
    print(f"{'work':<10}{'workers':>8}{'wall / s':>10}{'speed-up':>10}{'of ideal':>10}")
    for name, do, counts, runs in (("sleeping", nap, (1, 2, 4, 8), 1), ("burning", work, (1, 2), 12)):
        if options.work not in (name, "both"):
            continue
        first = 0.0
        for workers in counts:
            with place(workers) as hands:
                taken = wall(hands, do, options.chunks, runs)
            first = first or taken
            speed = first / taken
            print(f"{name:<10}{workers:>8}{taken:>10.2f}{speed:>10.2f}{speed / workers:>10.0%}")


if __name__ == "__main__":
    main()
