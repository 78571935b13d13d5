"""A node of a key network inside a KME: its state and its link keys are in the KME's store, its messages go over the KMEs' own lines.

Every act (a message that came, a tick, a key to be sent) is one transaction: the node is read from the store, sealed like a key; it
acts; what it spent, what was delivered into the stock and its new state are committed together; only then do its answers leave. So a
KME that is killed goes on where it was, and several processes of one KME share one node.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any, Final, TypeAlias
from uuid import UUID, uuid4

from quantum_fabric.errors import FabricError, InputError, StateError
from quantum_fabric.keys import (
    Act,
    Instant,
    KeyMaterial,
    Mode,
    Origin,
    Pool,
    Provenance,
    Quota,
    Refusal,
    feed,
)
from quantum_fabric.keys.policy import draw
from quantum_fabric.keys.relay import (
    Ack,
    Alarm,
    Delivered,
    Envelope,
    Failed,
    RelayNode,
    ShelfPads,
    Start,
    Tick,
    noise_octets,
    relayed_block,
)
from quantum_fabric.keys.relay.keeping import keep, resume
from quantum_fabric.keys.relay.messages import Answer
from quantum_fabric.keys.relay.written import read, written
from quantum_fabric.server.courier import Line, LineError
from quantum_fabric.server.etsi014 import FormatError, array_of, read_object
from quantum_fabric.server.kme import Kme
from quantum_fabric.server.settings import RelaySettings, RelaySupply
from quantum_fabric.server.sql import SqlShelf

log = logging.getLogger("quantum_fabric.server.relay")

PATH: Final = ("qfabric", "v1", "relay")
MOST_MESSAGES: Final = 64
"""In one call."""

TICK_SECONDS: Final = 0.5
LONGEST_REST: Final[Instant] = 60_000
"""After attempts that failed: each one costs link key, so the rest before the next doubles, up to this, in ms."""

_ROOM: Final = 200_000
"""Octets of one call; the door reads somewhat more."""

_STATE: Final = UUID("5b0ee1b6-62d4-8d3c-9c57-6f1e5a3c7a02")
Message: TypeAlias = Envelope | Ack


class RelayHouse:
    """The house of one relay node.

    Args:
        kme: whose stock it spends and fills.
        lines: to the other KMEs; not those of the couriers, which may be busy.
        settings: whether it hands on keys of others, and which stocks it keeps filled.
    """

    def __init__(self, kme: Kme, lines: Mapping[str, Line], settings: RelaySettings) -> None:
        self._kme, self._lines, self._settings = kme, lines, settings
        self._out: dict[str, deque[Message]] = {name: deque() for name in lines}
        self._nudges = {name: asyncio.Event() for name in lines}
        self._tasks: list[asyncio.Task[None]] = []
        self._quotas = {
            (one.source, one.target): Quota(1, one.burst, one.rate) for one in settings.quotas
        }  # of octets; how many keys wait is no concern of a relay
        self._filling: dict[UUID, str] = {}
        self._rests: dict[str, tuple[Instant, Instant]] = {}

    async def start(self) -> None:
        """Go on where it was, and begin to tick."""
        self._tasks = [asyncio.create_task(self._tell(name)) for name in self._lines]
        self._tasks.append(asyncio.create_task(self._tick()))

    async def stop(self) -> None:
        """Stop ticking and hang up. What was not sent is sent after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for line in self._lines.values():
            await line.close()

    async def send(self, paths: tuple[tuple[str, ...], ...], octets: int, patience: Instant = 60_000) -> UUID:
        """Relay fresh bits into the stock that this KME cuts for another one.

        Args:
            paths: from this KME to the other, one for each share.
            octets: of the new block.
            patience: when to give up, in ms.

        Returns:
            The name of the transfer, which becomes the name of the block.

        Raises:
            InputError: paths that cannot be.
        """
        transfer = uuid4()
        await self._act(partial(self._begin, transfer, paths, octets, patience))
        return transfer

    async def answer(self, caller: str, messages: list[Message]) -> list[Message]:
        """Take messages of a neighbour; what is for itself goes back at once."""
        back: list[Message] = []
        for message in messages:
            found = await self._act(lambda node, now, one=message: node.handle(one, now))  # type: ignore[misc]
            back += [one for one in found if one.receiver == caller]
            self._post([one for one in found if one.receiver != caller])
        return back

    # --------------------------------------------------------------------------------------------------- acts

    async def _act(self, work: Callable[[RelayNode, Instant], list[Answer]]) -> list[Message]:
        now = self._kme.clock()
        answers = await self._kme.store.transact(partial(self._inside, work, now))
        messages: list[Message] = []
        for one in answers:
            match one:
                case Envelope() | Ack():
                    messages.append(one)
                case Failed():
                    log.warning(
                        "relayed key %s came to nothing: %s, says %s", one.transfer, one.outcome.value, one.by
                    )
                    self._settled(one.transfer, now, failed=True)
                case Alarm():
                    log.warning("relay alarm about %s: %s", one.peer, one.what)
                case Delivered():
                    self._kme.stir()
                    self._settled(one.transfer, now, failed=False)
        return messages

    def _settled(self, transfer: UUID, now: Instant, failed: bool) -> None:
        """Rest before the next attempt for that target, twice as long each time; not at all after a success."""
        target = self._filling.pop(transfer, None)
        if target is not None and failed:
            rest = min(2 * self._rests[target][1], LONGEST_REST) if target in self._rests else 1000
            self._rests[target] = (now + rest, rest)
        elif target is not None:
            self._rests.pop(target, None)

    def _inside(
        self, work: Callable[[RelayNode, Instant], list[Answer]], now: Instant, shelf: SqlShelf
    ) -> list[Answer]:
        desk = self._kme.desk
        name, ring = desk.policy.kme, desk.ring
        ration = partial(self._ration, shelf) if self._quotas else None
        node = RelayNode(name, ShelfPads(shelf, ring, name), self._settings.relays, 2000, ration)
        sealed = shelf.kept("relay")
        before = ring.open(_STATE, sealed) if sealed is not None else None
        if before is not None:
            resume(node, before)
        answers = work(node, now)
        for one in answers:
            if isinstance(one, Delivered):
                self._take_in(shelf, one, now)
        custody = [
            (str(one.transfer), one.share, one.form.value, one.since, one.until, one.fate)
            for one in node.book.drain()
        ]
        if custody:
            desk.note(shelf, now, Act.RELAYED, name, custody=custody)
        after = keep(node)
        if before is None or after != before or (sealed is not None and sealed.kek != ring.current.name):
            shelf.keep("relay", ring.seal(_STATE, after))
        after.wipe()
        return answers

    def _ration(self, shelf: SqlShelf, source: str, target: str, octets: int, now: Instant) -> bool:
        """Charge the quota of two ends, in the transaction that hands their share on; False where it does not allow it."""
        quota = self._quotas.get((source, target))
        book = (f"relay {source}", f"relay {target}")  # the names of SAEs have no spaces
        usage = draw(quota, shelf.usage(*book), octets, now) if quota is not None else None
        if usage is None:
            return False
        shelf.set_usage(*book, usage)
        return True

    def _take_in(self, shelf: SqlShelf, delivered: Delivered, now: Instant) -> None:
        """Relayed bits become stock, in the transaction in which they are released."""
        desk = self._kme.desk
        # in production every stock holds bits that can be secret only; whether the relays are so too is for the owner to see
        origin = Origin.QKD if desk.policy.mode is Mode.PRODUCTION else Origin.TEST
        hops = len({hop for path in delivered.paths for hop in pairwise(path)})
        provenance = Provenance(origin, f"relayed over {hops} links", self._settings.epsilon)
        taken = feed(desk, shelf, relayed_block(delivered, provenance), now)
        if isinstance(taken, Refusal):
            raise StateError(
                f"relayed bits wait: {taken.message}"
            )  # rolled back: the neighbour will say it again

    def _begin(
        self, transfer: UUID, paths: tuple[tuple[str, ...], ...], octets: int, patience: Instant, node: RelayNode,
        now: Instant,
    ) -> list[Answer]:  # fmt: skip
        unknown = sorted({path[1] for path in paths if len(path) > 1} - set(self._lines))
        if unknown:
            raise InputError(
                f"a path by way of '{unknown[0]}'", "paths that begin at a peer of this KME", "relay"
            )
        noise = KeyMaterial(secrets.token_bytes(noise_octets(octets, len(paths))))
        return node.handle(Start(transfer, paths, octets, noise, now + patience), now)

    # --------------------------------------------------------------------------------------------------- time

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                self._post(await self._act(lambda node, now: node.handle(Tick(), now)))
                for supply in self._settings.supplies:
                    self._post(await self._act(partial(self._fill, supply)))
            except FabricError as error:
                log.info("the relay waits: %s", error)
            except Exception as error:
                # a traceback shows values, and the next tick may fare better
                log.error("a tick of the relay failed: %s", type(error).__name__)

    def _fill(self, supply: RelaySupply, node: RelayNode, now: Instant) -> list[Answer]:
        """Send a block where a stock is below its mark and none is on its way."""
        pool = Pool(self._kme.desk.policy.kme, supply.target)
        under_way = any(one.paths[0][-1] == supply.target for one in node.sending.values())
        pads = node.pads
        if under_way or pads.left(pool.cutter, pool.follower) >= supply.below:
            return []
        if now < self._rests.get(supply.target, (0, 0))[0]:
            return []
        paths, transfer = tuple(map(tuple, supply.paths)), uuid4()
        answers = self._begin(transfer, paths, supply.octets, 1000 * supply.patience_seconds, node, now)
        self._filling[transfer] = supply.target
        return answers

    # -------------------------------------------------------------------------------------------------- lines

    def _post(self, messages: list[Message]) -> None:
        for message in messages:
            if message.receiver in self._out:
                self._out[message.receiver].append(message)
                self._nudges[message.receiver].set()

    async def _tell(self, peer: str) -> None:
        """Send what there is for one peer; what does not arrive is made again by a tick."""
        queue, nudge, line = self._out[peer], self._nudges[peer], self._lines[peer]
        while True:
            await nudge.wait()
            nudge.clear()
            while queue:
                body = pack(queue)
                try:
                    status, text = await line.post("/" + "/".join(PATH), body)
                    if status != 200:
                        raise LineError(f"KME {peer} answers {status} to relay messages")
                    self._post(await self.answer(peer, unpack(text, peer)))
                except (FabricError, ValueError) as error:
                    log.info("relay messages to %s wait: %s", peer, error)
                    queue.clear()


def pack(queue: deque[Message]) -> bytes:
    """Take as many messages from the front as fit into one call, at least one.

    Examples:
        >>> pack(deque())
        b'{"messages":[]}'
    """
    rows: list[str] = []
    while queue and len(rows) < MOST_MESSAGES:
        row = json.dumps(written(queue[0]), separators=(",", ":"))
        if rows and sum(map(len, rows)) + len(row) > _ROOM:
            break
        rows.append(row)
        queue.popleft()
    return f'{{"messages":[{",".join(rows)}]}}'.encode()


def unpack(body: bytes, sender: str) -> list[Message]:
    """Read the messages of one call.

    Raises:
        FormatError: they are none, too many, or in the name of somebody else than the certificate says.

    Examples:
        >>> unpack(b'{"messages": []}', "kme-b")
        []
    """
    rows: list[Any] = array_of(read_object(body).get("messages"), "messages")
    if len(rows) > MOST_MESSAGES:
        raise FormatError(f"{len(rows)} messages", f"at most {MOST_MESSAGES}", "messages")
    try:
        found = [read(row) for row in rows]
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(error.found, error.expected, "messages") from None
    if any(one.sender != sender for one in found):
        raise FormatError("a message of somebody else", f"messages of {sender}", "messages")
    return found
