"""A key management entity at work: the desk, its store, its clock, and the waiting for other KMEs. No HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final
from uuid import UUID, uuid4

from quantum_fabric.errors import InputError
from quantum_fabric.keys import (
    Act,
    Block,
    Desk,
    Grant,
    Instant,
    KeyRequest,
    KeyRing,
    Policy,
    Pool,
    Promise,
    Refusal,
    Shelf,
    Status,
    confirmed,
    feed,
    sweep,
    void,
)
from quantum_fabric.keys.streams import is_chunk
from quantum_fabric.server.clock import SteadyClock
from quantum_fabric.server.sql import SqlShelf
from quantum_fabric.server.store import Store, StoreError, fits, renew

log = logging.getLogger("quantum_fabric.server.kme")

SWEEP_SECONDS: Final = 1.0
"""How often expired keys are looked for. A key that is out of its time is refused at once, swept or not."""

LOOK_SECONDS: Final = 0.1
"""How often a worker of several looks whether another one has got a confirmation."""


class Kme:
    """What the listeners call.

    Args:
        policy: the rules.
        ring: the KEKs.
        store: already open.
        patience: how long a master waits for other KMEs, in s.
        clock: the time, in ms.
    """

    def __init__(
        self,
        policy: Policy,
        ring: KeyRing,
        store: Store,
        patience: float = 5.0,
        clock: Callable[[], Instant] | None = None,
    ) -> None:
        self.desk = Desk(policy, ring, uuid4)
        self.store = store
        self.patience = patience
        self.clock = clock or SteadyClock()
        self.nudges: dict[str, asyncio.Event] = {}
        self._waiting: dict[UUID, asyncio.Future[None]] = {}
        self._sweeper: asyncio.Task[None] | None = None
        self._stale = True
        self._stirring: asyncio.Future[None] | None = None
        self.supplied: deque[tuple[Instant, Pool, int]] = deque(maxlen=4096)

    async def start(self) -> None:
        """Take back what was promised before a crash, and begin to sweep."""
        now, desk = self.clock(), self.desk

        def begin(shelf: Shelf) -> int:
            desk.note(shelf, now, Act.STARTED, desk.policy.kme, mode=desk.policy.mode.value)
            # in a store of our own nobody waits for a promised key any more; in a shared one other workers may
            return self._take_back(shelf, now, self._grace if self.store.database.shared else 0)

        voided = await self.store.transact(begin)
        if voided:
            log.warning("%d keys that were promised before the restart were voided", voided)
        self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        """Stop sweeping and close the store; what is queued is finished."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeper
        await asyncio.to_thread(self.store.close)

    @property
    def _grace(self) -> Instant:
        """After so long nobody waits for a promised key: its worker has given up, or is gone."""
        return int(2000 * self.patience) + 1000

    def _take_back(self, shelf: Shelf, now: Instant, grace: Instant) -> int:
        """Void keys that were promised longer ago; chunks of a key stream wait for their index to be read."""
        left = [
            record.key_id
            for record in shelf.promised()
            if not is_chunk(record.key_id) and now - record.created >= grace
        ]
        return void(self.desk, shelf, left, self.desk.policy.kme, now)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = self.clock()
            with suppress(StoreError):
                await self.store.transact(partial(_sweep, self.desk, now))
                if self.store.database.shared:
                    await self.store.transact(partial(self._take_back, now=now, grace=self._grace))
                while self._stale and await self.store.transact(partial(_renew, self.desk, now)) > 0:
                    await asyncio.sleep(0)  # others come between the steps
                self._stale = False

    def rule(self, policy: Policy) -> None:
        """Take other rules, from the next request on: an SAE that is not in them is nobody from then on.

        Raises:
            InputError: they are those of another KME.
        """
        if policy.kme != self.desk.policy.kme:
            raise InputError(policy.kme, self.desk.policy.kme, "kme")
        self.desk.policy = policy

    async def rekey(self, ring: KeyRing) -> None:
        """Seal under another KEK from now on, and what is stored in the background, while keys are handed out.

        Args:
            ring: its first KEK seals; every KEK that the store still needs must be on it.

        Raises:
            UnknownNameError: one is missing; the old ring stays.
            SealError: a KEK of a known name is another one; the old ring stays.
            StoreError: the store cannot be asked now; the old ring stays.
        """

        def change(shelf: SqlShelf) -> None:
            fits(shelf, ring)
            self.desk.ring = ring  # in the writer, between two acts: no act sees two rings

        await self.store.transact(change)
        self._stale = True

    # --------------------------------------------------------------------------------------------------- SAEs

    async def status(self, master: str, slave: str) -> Status | Refusal:
        """ETSI GS QKD 014 "Get status"."""
        return await self.store.transact(lambda shelf: self.desk.status(shelf, master, slave))

    async def get_key(self, master: str, request: KeyRequest) -> Grant | Refusal:
        """ETSI GS QKD 014 "Get key": answers when every KME concerned holds the keys, or refuses and takes them back."""
        now = self.clock()
        answer = await self.store.transact(lambda shelf: self.desk.issue(shelf, master, request, now))
        if not isinstance(answer, Promise):
            return answer
        try:
            await self._confirmation(answer)
        finally:
            now = self.clock()
            ids = list(answer.key_ids)
            released = await self.store.transact(lambda shelf: self.desk.release(shelf, master, ids, now))
            if isinstance(released, Refusal):
                actor = self.desk.policy.kme
                await self.store.transact(lambda shelf: void(self.desk, shelf, ids, actor, now))
                self._nudge(answer.kmes)
        return released

    async def get_key_with_ids(self, master: str, slave: str, key_ids: list[UUID]) -> Grant | Refusal:
        """ETSI GS QKD 014 "Get key with key IDs"."""
        now = self.clock()
        return await self.store.transact(lambda shelf: self.desk.collect(shelf, master, slave, key_ids, now))

    async def _confirmation(self, promise: Promise) -> None:
        loop = asyncio.get_running_loop()
        waits = [self._waiting.setdefault(key_id, loop.create_future()) for key_id in promise.key_ids]
        self._nudge(promise.kmes)
        try:
            if self.store.database.shared:
                await self._watch(promise, waits)
            else:
                await asyncio.wait(waits, timeout=self.patience)
        finally:
            for key_id in promise.key_ids:
                self._waiting.pop(key_id, None)

    def stir(self) -> None:
        """Something has come: whoever waits on a key stream looks again."""
        stirring, self._stirring = self._stirring, None
        if stirring is not None and not stirring.done():
            stirring.set_result(None)

    def stirring(self) -> asyncio.Future[None]:
        """What the next `stir` fulfils; to be taken before one looks, so that nothing is missed in between."""
        if self._stirring is None or self._stirring.done():
            self._stirring = asyncio.get_running_loop().create_future()
        return self._stirring

    def nudge(self) -> None:
        """Let every courier look into the outbox."""
        self._nudge(tuple(self.nudges))

    async def _watch(self, promise: Promise, waits: list[asyncio.Future[None]]) -> None:
        """Wait, and look from time to time: another worker may have got the confirmation."""

        def complete(shelf: Shelf) -> bool:
            records = [shelf.key(key_id) for key_id in promise.key_ids]
            return all(record is None or not record.unconfirmed for record in records)

        loop = asyncio.get_running_loop()
        until = loop.time() + self.patience
        while (left := until - loop.time()) > 0:
            _, missing = await asyncio.wait(waits, timeout=min(left, LOOK_SECONDS))
            if not missing or await self.store.transact(complete):
                return

    def _nudge(self, kmes: tuple[str, ...]) -> None:
        for kme in kmes:
            event = self.nudges.get(kme)
            if event is not None:
                event.set()

    # --------------------------------------------------------------------------------------------- KMEs, supply

    async def confirm(self, kme: str, key_ids: list[UUID]) -> None:
        """Another KME holds these keys."""
        now = self.clock()
        complete = await self.store.transact(lambda shelf: confirmed(self.desk, shelf, kme, key_ids, now))
        self.stir()
        for key_id in complete:
            waiting = self._waiting.get(key_id)
            if waiting is not None and not waiting.done():
                waiting.set_result(None)

    async def give_up(self, key_ids: list[UUID]) -> None:
        """Another KME will never hold these keys: take them back, and let the master know at once."""
        now, actor = self.clock(), self.desk.policy.kme
        await self.store.transact(lambda shelf: void(self.desk, shelf, key_ids, actor, now))
        self.stir()
        for key_id in key_ids:
            waiting = self._waiting.get(key_id)
            if waiting is not None and not waiting.done():
                waiting.set_result(None)

    async def feed(self, block: Block) -> int | Refusal:
        """Take in bits.

        Raises:
            InputError: this KME does not take bits of that origin.
        """
        now, pool = self.clock(), block.pool
        taken = await self.store.transact(lambda shelf: feed(self.desk, shelf, block, now))
        if isinstance(taken, int) and taken:
            self.supplied.append((now, pool, taken))
        self.stir()
        return taken


def _sweep(desk: Desk, now: Instant, shelf: SqlShelf) -> int:
    return sweep(desk, shelf, now)


def _renew(desk: Desk, now: Instant, shelf: SqlShelf) -> int:
    return renew(desk, shelf, now)
