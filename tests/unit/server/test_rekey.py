"""A KEK is changed while keys are handed out."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import keydesk
from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.keys import Grant, Kek, KeyMaterial, KeyRequest, KeyRing, SealError
from quantum_fabric.server import kme as kme_module
from quantum_fabric.server.kek import pin_from
from quantum_fabric.server.kme import Kme
from quantum_fabric.server.store import Store


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kme_module, "SWEEP_SECONDS", 0.01)


def opened(path: Path, ring: KeyRing, octets: int = 32 * 1500) -> Kme:
    kme = Kme(keydesk.policy(), ring, Store(path, ring), clock=lambda: 1)
    if octets:
        kme.store.run(lambda shelf: keydesk.stock(kme.desk, shelf, "kme-a", "kme-a", octets))
    return kme


async def sealed_under(kme: Kme, names: set[str]) -> None:
    while await kme.store.transact(lambda shelf: shelf.keks()) != names:
        await asyncio.sleep(0.01)


def test_nobody_waits_and_the_old_kek_can_go(tmp_path: Path) -> None:
    async def work() -> list[Grant]:
        kme = opened(tmp_path / "keys.sqlite", keydesk.ring())
        await kme.start()
        got: list[Grant] = []
        done = asyncio.Event()

        async def ask() -> None:
            while not done.is_set():
                given = await kme.get_key("alice", KeyRequest("anna", number=2))
                assert isinstance(given, Grant)
                got.append(given)
                await asyncio.sleep(0.002)

        asking = asyncio.create_task(ask())
        await sealed_under(kme, {"test"})
        await kme.rekey(keydesk.ring("new", (keydesk.kek("test"),)))
        async with asyncio.timeout(30):
            await sealed_under(kme, {"new"})
        done.set()
        await asking
        await kme.stop()
        return got

    got = asyncio.run(work())
    assert len(got) > 3
    kme = opened(tmp_path / "keys.sqlite", keydesk.ring("new"), 0)

    async def collect() -> None:
        for given in got:
            ids = [one.key_id for one in given.keys]
            again = await kme.get_key_with_ids("alice", "anna", ids)
            assert isinstance(again, Grant)
            assert [one.material for one in again.keys] == [one.material for one in given.keys]

    asyncio.run(collect())
    kme.store.close()
    with pytest.raises(UnknownNameError):
        Store(tmp_path / "keys.sqlite", keydesk.ring())


def test_a_ring_that_does_not_open_everything_is_not_taken(tmp_path: Path) -> None:
    async def work() -> None:
        kme = opened(tmp_path / "keys.sqlite", keydesk.ring(), 640)
        with pytest.raises(UnknownNameError, match="test"):
            await kme.rekey(keydesk.ring("new"))
        impostor = Kek("test", KeyMaterial(b"another KEK of that name".ljust(32)))
        with pytest.raises(SealError):
            await kme.rekey(KeyRing(keydesk.kek("new"), [impostor]))
        assert isinstance(await kme.get_key("alice", KeyRequest("anna")), Grant)
        assert await kme.store.transact(lambda shelf: shelf.keks()) == {"test"}
        await kme.stop()

    asyncio.run(work())


def test_pins(tmp_path: Path) -> None:
    path = tmp_path / "pin"
    path.write_text("1234\n")
    path.chmod(0o600)
    assert pin_from(path, None) == "1234"
    variables = {"PIN": "5678"}
    assert pin_from(None, "PIN", variables) == "5678"
    assert variables == {}
    for file, name in ((None, None), (path, "PIN"), (None, "PIN")):
        with pytest.raises(InputError):
            pin_from(file, name, variables)
    path.chmod(0o644)
    with pytest.raises(InputError, match="nobody else"):
        pin_from(path, None)
