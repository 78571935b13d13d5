"""Who does the work: this process, a pool of processes on this machine, or somebody else's cluster.

All give the same rows: what a chunk gives depends on nothing but the chunk. They differ in speed alone.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import connection
from typing import Final, Protocol

from quantum_fabric.errors import StateError
from quantum_fabric.studies.engine import Row
from quantum_fabric.studies.work import Chunk, Key, Order, work

Rows = dict[Key, Row]
Do = Callable[[Order, Chunk], Rows]

AHEAD: Final = 3
"""Chunks that are handed out for each worker before the first comes back."""

DEATHS: Final = 3
"""Times in a row that workers may die without finishing anything before the study gives up."""


class Executor(Protocol):
    """Does chunks of work, in any order.

    Attributes:
        workers: how many are done at a time, about.
    """

    workers: int

    def run(self, order: Order, chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, Rows]]:
        """Do all chunks and give each with its rows as it is finished.

        Raises:
            InputError: a point makes no sense.
            StateError: the workers are gone.
        """
        ...

    def close(self) -> None:
        """Let the workers go."""
        ...


@dataclass
class Alone:
    """This process, one chunk after the other.

    Examples:
        >>> from quantum_fabric.studies.work import Task
        >>> order = Order({"link": {"distance": "40 km", "segments": 2}, "request": {"fidelity": 0.9}}, "forecast", 1, frozenset())
        >>> [len(rows) for _, rows in Alone().run(order, [Chunk((Task(0, (), 0, 2),))])]
        [2]
    """

    workers: int = 1

    def run(self, order: Order, chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, Rows]]:
        """One after the other."""
        for chunk in chunks:
            yield chunk, work(order, chunk)

    def close(self) -> None:
        """Nothing to let go."""


class Pool:
    """Processes on this machine. A worker that is killed is replaced and its chunk done again.

    Args:
        workers: number of processes.
        do: what is done with a chunk; a function of a module, since it is named to the workers.
    """

    def __init__(self, workers: int, do: Do = work) -> None:
        self.workers = workers
        self.do = do
        self._pool: ProcessPoolExecutor | None = None

    def run(self, order: Order, chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, Rows]]:
        """A few chunks ahead for each worker; again where a worker dies."""
        waiting = iter(chunks)
        again: list[Chunk] = []
        deaths = 0
        while True:
            handed: dict[Future[Rows], Chunk] = {}
            try:
                for chunk, rows in self._stream(order, waiting, again, handed):
                    deaths = 0
                    yield chunk, rows
                return
            except BrokenProcessPool:
                deaths += 1
                again += [chunk for future, chunk in handed.items() if not _good(future)]
                self._drop()
                if deaths >= DEATHS:
                    raise StateError(
                        f"worker processes died {deaths} times in a row without finishing anything (is memory short? each worker "
                        "needs about 200 MB); what was finished is kept: start the study again with fewer --workers"
                    ) from None

    def _stream(
        self, order: Order, waiting: Iterator[Chunk], again: list[Chunk], handed: dict[Future[Rows], Chunk]
    ) -> Iterator[tuple[Chunk, Rows]]:
        pool = self._ready()
        while True:
            while len(handed) < AHEAD * self.workers:
                chunk = again.pop() if again else next(waiting, None)
                if chunk is None:
                    break
                try:
                    handed[pool.submit(self.do, order, chunk)] = chunk
                except BrokenProcessPool:
                    again.append(chunk)
                    raise
            if not handed:
                return
            for future in wait(handed, return_when=FIRST_COMPLETED).done:
                rows = future.result()
                yield handed.pop(future), rows

    def _ready(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # spawned, not forked: a fork of a process with threads (a progress bar has one) may stand still for ever
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=attend)
        return self._pool

    def _drop(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def close(self) -> None:
        """Let the processes go; what they are at is dropped."""
        self._drop()


def _good(future: Future[Rows]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def attend() -> None:
    """Begin as a worker: Ctrl-C is for the parent, and without a parent there is nothing to do.

    Examples:
        >>> from multiprocessing import parent_process
        >>> parent_process() is None and attend() is None  # in no worker it does nothing
        True
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("OMP_NUM_THREADS", "1")

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent").start()
