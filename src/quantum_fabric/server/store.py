"""One writer for one store: acts that wait together are committed together, and answered only then.

A commit that reaches the disk costs milliseconds; a key costs microseconds. So the writer takes whatever has queued up while
the last commit was on its way, gives each act its own savepoint, and commits once for all of them (group commit). An answer
leaves the writer after the commit and never before it: a process that dies in between has delivered a key to nobody, and
will not deliver it again.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from quantum_fabric.errors import StateError, UnknownNameError
from quantum_fabric.keys import Grant, KeyMaterial, KeyRing, reseal
from quantum_fabric.keys.desk import Desk
from quantum_fabric.server.sql import SqlShelf
from quantum_fabric.server.sqlite import SqliteDatabase

T = TypeVar("T")
log = logging.getLogger("quantum_fabric.server.store")

LARGEST_GROUP: Final = 256
"""Acts in one commit."""

LONGEST_QUEUE: Final = 4096
"""Acts that may wait; more are refused at once rather than late."""

_PROOF: Final = UUID("a3b7a4f2-6d0e-8c11-9d5c-5bd1f2a1c001")
_PROVEN: Final = b"this KEK opens this store"


class StoreError(StateError):
    """The store cannot commit (disk full, file damaged, closed, too busy); nothing was delivered and nothing changed."""


class Database(Protocol):
    """What a store is kept in: one connection, used by one thread at a time."""

    name: str
    """For people."""

    shared: bool
    """Whether other processes write to it too."""

    @property
    def shelf(self) -> SqlShelf:
        """To be used between `begin` and `commit`."""

    def begin(self) -> None:
        """Begin a transaction, alone: nobody else writes until it ends."""

    def save(self) -> None:
        """Begin an act inside it."""

    def undo(self) -> bool:
        """Take the act back; False where the whole transaction is lost."""

    def keep(self) -> None:
        """End the act, taken back or not."""

    def commit(self) -> None:
        """Returns when all of it is on disk."""

    def rollback(self) -> None:
        """Take all of it back, where there is anything."""

    def close(self) -> None:
        """Hang up."""


@dataclass(slots=True)
class _Job:
    work: Callable[[SqlShelf], Any]
    future: Future[Any] | asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop | None = None
    answer: Any = None
    fault: BaseException | None = None

    def begins(self) -> bool:
        """Whether its caller still waits."""
        if isinstance(self.future, Future):
            return self.future.set_running_or_notify_cancel()
        return not self.future.done()

    def tell(self) -> None:
        """Let the caller have the answer; in the loop's own thread where it waits in a loop."""
        if self.future.done():  # it gave up while the commit was on its way: what it asked for is spent
            if isinstance(self.answer, Grant):
                self.answer.wipe()
        elif self.fault is not None:
            self.future.set_exception(self.fault)
        else:
            self.future.set_result(self.answer)


class Store:
    """A store that is open, with its writer's thread.

    Args:
        where: of the SQLite file, or another database that is open.
        ring: must open what is in it.

    Attributes:
        database: what it is kept in.
        shelf: of the database, for whoever knows that the writer rests.

    Raises:
        InputError: the file may be read by others, or is of another version.
        SealError: the KEK is not the one of this store.
        UnknownNameError: a KEK that the store needs is missing.
    """

    def __init__(self, where: Path | Database, ring: KeyRing) -> None:
        self.database: Database = SqliteDatabase(where) if isinstance(where, Path) else where
        self.shelf = self.database.shelf
        try:
            self._prove(ring)
        except BaseException:
            self.database.close()
            raise
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(
            target=self._write, name=f"writer of {self.database.name}", daemon=True
        )
        self._thread.start()

    def _prove(self, ring: KeyRing) -> None:
        self.database.begin()
        try:
            if self.shelf.proof() is None:
                self.shelf.set_proof(ring.seal(_PROOF, KeyMaterial(_PROVEN)))
            fits(self.shelf, ring)
            self.database.commit()
        except BaseException:
            self.database.rollback()
            raise

    # ------------------------------------------------------------------------------------------------ callers

    def submit(self, work: Callable[[SqlShelf], T]) -> Future[T]:
        """Queue an act.

        Args:
            work: called with the open shelf in the writer's thread; all of it counts, or nothing where it raises.

        Returns:
            Its answer, once it is on disk. `StoreError` where it could not be committed.
        """
        future: Future[T] = Future()
        self._put(_Job(work, future))
        return future

    def _put(self, job: _Job) -> None:
        with self._lock:
            if self._closed:
                raise StoreError("the store is closed")
            if self._queue.qsize() >= LONGEST_QUEUE:
                raise StoreError("the store is too busy")
            self._queue.put(job)

    def run(self, work: Callable[[SqlShelf], T]) -> T:
        """Do an act and wait for it."""
        return self.submit(work).result()

    async def transact(self, work: Callable[[SqlShelf], T]) -> T:
        """Do an act and wait for it, in an event loop. One that is cancelled before its turn is not done."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._put(_Job(work, future, loop))
        return await future

    def rotate(self, desk: Desk, now: int) -> int:
        """Seal everything under the desk's current KEK. Returns how many rows were changed."""
        changed = 0
        while step := self.run(lambda shelf: renew(desk, shelf, now)):
            changed += step
        return changed

    def close(self) -> None:
        """Finish what is queued, and close. Twice does no harm."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._queue.put(None)
        self._thread.join()
        self.database.close()

    # ------------------------------------------------------------------------------------------------- writer

    def _write(self) -> None:
        going = True
        while going:
            group = [self._queue.get()]
            while len(group) < LARGEST_GROUP and group[-1] is not None:
                try:
                    group.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            going = group[-1] is not None
            jobs = [job for job in group if job is not None]
            if jobs:
                self._commit(jobs)

    def _commit(self, group: list[_Job]) -> None:
        database = self.database
        jobs: list[_Job] = []
        try:
            database.begin()
            for job in group:
                if not job.begins():
                    continue  # its caller has gone: it takes nothing
                jobs.append(job)
                database.save()
                try:
                    job.answer = job.work(self.shelf)
                except Exception as fault:
                    if not database.undo():
                        raise  # all of the group is lost
                    self.shelf.forget()
                    job.fault = fault
                database.keep()
            database.commit()
        except Exception as fault:
            late = group[len(jobs) :]
            jobs += [job for job in late if job.begins()]
            self._fail(jobs, fault)
        _tell(jobs)

    def _fail(self, jobs: list[_Job], fault: Exception) -> None:
        self.shelf.forget()
        log.error("a commit of %d acts failed: %s", len(jobs), type(fault).__name__)
        try:
            self.database.rollback()
        except Exception as error:
            log.error("it could not be rolled back (%s); the next one will say more", type(error).__name__)
        for job in jobs:
            if isinstance(job.answer, Grant):
                job.answer.wipe()
            job.fault = StoreError("the store could not commit")


def fits(shelf: SqlShelf, ring: KeyRing) -> None:
    """Whether a ring opens what is stored: its proof, and by name everything else.

    Raises:
        SealError: a KEK is not the one of this store.
        UnknownNameError: a KEK that the store needs is missing.
    """
    proof = shelf.proof()
    if proof is not None:
        ring.open(_PROOF, proof).wipe()
    missing = shelf.keks() - ring.names
    if missing:
        raise UnknownNameError(
            sorted(missing)[0], f"one of the KEKs {sorted(ring.names)}", "KEK of the store"
        )


def renew(desk: Desk, shelf: SqlShelf, now: int) -> int:
    """One step of a rotation: some hundred rows, and in the end the proof, so that the old KEK can be thrown away.

    Returns:
        How many rows were changed; 0 when all is done.
    """
    changed = reseal(desk, shelf, now)
    proof = shelf.proof()
    if not changed and proof is not None and proof.kek != desk.ring.current.name:
        shelf.set_proof(desk.ring.seal(_PROOF, KeyMaterial(_PROVEN)))
    return changed


def _tell(jobs: list[_Job]) -> None:
    """Answer a group: one wake-up for each loop, however many wait in it."""
    loops: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in jobs:
        if job.loop is None:
            job.tell()
        else:
            loops.setdefault(job.loop, []).append(job)
    for loop, waiting in loops.items():
        try:
            loop.call_soon_threadsafe(_tell_here, waiting)
        except RuntimeError:  # the loop is closed; nobody waits
            log.warning("%d answers found nobody waiting", len(waiting))


def _tell_here(jobs: list[_Job]) -> None:
    for job in jobs:
        job.tell()
