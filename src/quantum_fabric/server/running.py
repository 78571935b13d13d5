"""From settings to a key server that listens, and to one that has stopped in good order."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from dataclasses import replace
from typing import Any, cast

from quantum_fabric.errors import FabricError, InputError
from quantum_fabric.keys import KeyRing, Pool, Refusal, TestSource
from quantum_fabric.keys.combining import Answers
from quantum_fabric.server.courier import Courier, Line, LineError
from quantum_fabric.server.door import Answer, Call, Door, Reply
from quantum_fabric.server.etsi004_api import StreamApi
from quantum_fabric.server.etsi015_api import NodeApi
from quantum_fabric.server.identity import calling, listening
from quantum_fabric.server.kek import private, renewed
from quantum_fabric.server.kme import Kme
from quantum_fabric.server.kme_api import KmeApi
from quantum_fabric.server.operator_api import OperatorApi
from quantum_fabric.server.relay_api import RelayApi
from quantum_fabric.server.relay_house import RelayHouse
from quantum_fabric.server.sae_api import SaeApi
from quantum_fabric.server.settings import KmeSettings, Listener
from quantum_fabric.server.signed import SignedApi, SignedLine, Signing
from quantum_fabric.server.store import Store, StoreError
from quantum_fabric.server.streams import Streams
from quantum_fabric.server.supply_api import SupplyApi
from quantum_fabric.server.trial import trial

__all__ = ["Running", "trial"]

log = logging.getLogger("quantum_fabric.server.running")


class Running:
    """One key server.

    Args:
        settings: checked.

    Raises:
        InputError: the rules contradict each other, a file is not private, the KEK is wrong.

    Attributes:
        kme: the work.
        streams: key streams.
        relay: keys over trusted nodes; None where it does not take part.
        sae_door: for SAEs.
        kme_door: for other KMEs; None where there is none.
        couriers: one for each other KME.
        answers: exchanges of ML-KEM that other KMEs began; None where there is none.
        operator_door: for operators; None where there is none.
        sdn_door: for SDN controllers; None where there is none.
        supply_door: for what makes key bits; None where there is none.
        health_door: for a supervisor on this machine; None where there is none.
    """

    def __init__(self, settings: KmeSettings) -> None:
        self.settings = settings
        policy, ring = settings.policy(), settings.ring()
        self._context = listening(settings.credentials(settings.sae_listener))
        self.kme = Kme(policy, ring, Store(settings.database(), ring), settings.patience_seconds)
        self.kme_door: Door | None = None
        self.relay: RelayHouse | None = None
        self._lines: dict[str, Line] = {}
        self._errands: list[asyncio.Task[None]] = []
        self.couriers: list[Courier] = []
        self.answers: Answers | None = None
        far = settings.kme_listener
        if far is not None:
            files = settings.credentials(far)
            self._kme_context = listening(files, ssl.TLSVersion.TLSv1_3)
            outgoing = calling(files)
            signing = settings.signatures()
            self._lines = _lines(settings, outgoing, signing)
            apart = _lines(settings, outgoing, signing)
        self.streams = Streams(self.kme, apart if far is not None else {})
        if far is not None:
            addresses = {name: peer.url for name, peer in settings.peers.items()}
            others = KmeApi(self.kme, addresses, self._acknowledge, self.streams)
            self.answers, answer = others.answers, cast("Answer", others)
            if settings.relay is not None:
                self.relay = RelayHouse(self.kme, _lines(settings, outgoing, signing), settings.relay)
                answer = RelayApi(self.relay, addresses, answer)
            self.kme_door = Door(SignedApi(signing, answer), "kme")
        self.sae_door = Door(SaeApi(self.kme, StreamApi(self.kme, self.streams)), "sae", settings.naming)
        self.health_door = Door(self._health, "none") if settings.health_port is not None else None
        self._rekeying: asyncio.Task[None] | None = None
        self._serving = False
        self._more: list[tuple[Door, Listener, ssl.SSLContext]] = []
        self.operator_door = self._door(
            settings.operator_listener, OperatorApi(self.kme, self._rotate), "operator"
        )
        self.sdn_door = self._door(settings.sdn_listener, NodeApi(self.kme, settings.node), "sdn")
        self.supply_door = self._door(
            settings.supply_listener, SupplyApi(self.kme, settings.deliveries()), "source"
        )

    def _door(self, listener: Listener | None, answer: Answer, kind: str) -> Door | None:
        if listener is None:
            return None
        door = Door(answer, kind, connections=64)
        self._more.append((door, listener, listening(self.settings.credentials(listener))))
        return door

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: a port is taken.
        """
        await self.kme.start()
        await self.streams.start()
        await self._test_supply()
        listener = self.settings.sae_listener
        several = self.kme.store.database.shared
        await self.sae_door.open(listener.host, listener.port, self._context, several)
        if self.health_door is not None and self.settings.health_port is not None:
            await self.health_door.open("127.0.0.1", self.settings.health_port, None, several)
        for door, where, context in self._more:
            await door.open(where.host, where.port, context)
        await self._meet_peers()
        if self.relay is not None:
            await self.relay.start()
        self._serving = True
        log.info("KME %s serves SAEs on %s:%d", self.settings.kme, listener.host, self.sae_door.port)

    async def stop(self) -> None:
        """Let nobody in, finish what is being answered, close the store. Twice does no harm."""
        self._serving = False
        await self.streams.stop()
        if self.relay is not None:
            await self.relay.stop()
        await self.sae_door.close()
        for errand in self._errands:
            errand.cancel()
        await asyncio.gather(*self._errands, return_exceptions=True)
        if self.kme_door is not None:
            await self.kme_door.close()
        for line in self._lines.values():
            await line.close()
        for door, _, _ in self._more:
            await door.close()
        await self.kme.stop()
        if self.health_door is not None:
            await self.health_door.close()

    def reload(self, settings: KmeSettings) -> None:
        """Take homes, pairs, limits, KEKs and a renewed certificate from settings that were read again; all else needs a restart.

        KEKs from a file or a token change while keys are handed out; those from a variable were taken at the start.

        Raises:
            InputError: the new settings contradict each other; the old ones stay.
            OSError: a file cannot be read; the old ones stay.
        """
        policy = settings.policy()
        ring = settings.ring() if settings.kek.environment is None else None
        private(settings.key, "private key")
        contexts = [self._context, *(context for _, _, context in self._more)]
        contexts += [self._kme_context] if self.kme_door is not None else []
        for context in contexts:
            context.load_cert_chain(settings.certificate, settings.key)
        self.kme.rule(
            replace(policy, mode=self.kme.desk.policy.mode, neighbours=self.kme.desk.policy.neighbours)
        )
        if ring is not None:
            self._rekeying = asyncio.get_running_loop().create_task(self._rekey(ring))
        log.info(
            "KME %s has new rules: %d SAEs, %d pairs", settings.kme, len(policy.homes), len(policy.pairs)
        )

    async def _rotate(self, new: bool) -> None:
        """Read the KEKs again, for an operator; with `new`, put a fresh one first into their file.

        Raises:
            FabricError: they do not open what is stored, or are not where they could be read again.
        """
        source = self.settings.kek
        if source.environment is not None:
            raise InputError(
                "KEKs from a variable", "a file or a token: a variable is read at the start only", "kek"
            )
        if new and source.file is None:
            raise InputError(
                "KEKs in a token", "a KEK that was made in it, and its label in the settings", "new"
            )
        if new and source.file is not None:
            await asyncio.to_thread(renewed, source.file)
        await self.kme.rekey(await asyncio.to_thread(self.settings.ring))

    async def _rekey(self, ring: KeyRing) -> None:
        try:
            await self.kme.rekey(ring)
        except FabricError as error:  # names of KEKs, no secrets
            log.error("the KEKs that were read again are not taken, the old ones stay: %s", error)
        else:
            log.info("keys are sealed under KEK %s from now on", ring.current.name)

    async def _meet_peers(self) -> None:
        listener = self.settings.kme_listener
        if listener is None or self.kme_door is None:
            return
        several = self.kme.store.database.shared
        await self.kme_door.open(listener.host, listener.port, self._kme_context, several)
        ours = listener.url or f"https://{listener.host}:{self.kme_door.port}"
        for line in self._lines.values():
            self.couriers.append(Courier(self.kme, line, ours))
            self._errands.append(asyncio.create_task(self.couriers[-1].run()))

    async def _acknowledge(self, kme: str, path: str, acks: list[dict[str, Any]]) -> None:
        try:
            status, _ = await self._lines[kme].post(path, json.dumps(acks).encode())
        except LineError as error:
            log.warning("an acknowledgement was not delivered and will be asked for again: %s", error)
        else:
            if status != 200:
                log.warning("KME %s answers %d to an acknowledgement", kme, status)

    async def _test_supply(self) -> None:
        supply = self.settings.test_supply
        if supply is None:
            return
        log.warning("TRIAL: keys come from a published seed; nothing that they protect is secret")
        source, mine = TestSource(supply.seed), self.settings.kme
        pools = {Pool(mine, mine)} | {
            pool for far in self.settings.peers for pool in (Pool(mine, far), Pool(far, mine))
        }
        for pool in sorted(pools):
            fed = await self.kme.feed(source.block(pool, 0, supply.octets))
            if isinstance(fed, Refusal):
                log.warning("the test supply of %s and %s: %s", pool.cutter, pool.follower, fed.message)

    async def _health(self, call: Call) -> Reply:
        """Whether it serves: 200 or 503, and no more than that."""
        if call.path != ("health",) or call.method != "GET":
            return Reply(404, b"{}")
        try:
            await self.kme.store.transact(lambda shelf: shelf.head())
            good = self._serving
        except StoreError:
            good = False
        return Reply(200 if good else 503, json.dumps({"serving": good}).encode())


def _lines(settings: KmeSettings, context: ssl.SSLContext, signing: Signing) -> dict[str, Line]:
    """A connection to each peer; one that signs where its settings ask for it."""
    lines: dict[str, Line] = {}
    for name, peer in settings.peers.items():
        signs = name in signing
        lines[name] = SignedLine(signing, name, peer.url, context) if signs else Line(name, peer.url, context)
    return lines
