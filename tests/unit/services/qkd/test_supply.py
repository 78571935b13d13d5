"""From photons to keys that two key managers hand out: a session feeds two desks, and SAEs at both get the same key."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
import pytest

import keydesk
from quantum_fabric import documents
from quantum_fabric.cli.keying import FabricWires
from quantum_fabric.errors import InputError, StateError
from quantum_fabric.fabric import Fabric
from quantum_fabric.keys import KeyMaterial, MemoryShelf, Mode, Origin, feed
from quantum_fabric.physics.qkd.ledger import Ledger, Security
from quantum_fabric.services.qkd.session import Delivery, KeySession, Plan
from quantum_fabric.services.qkd.sources import PairSource
from quantum_fabric.services.qkd.supply import blocks
from quantum_fabric.units import MS, SECOND


def session(hand: object) -> KeySession:
    fabric = Fabric(documents.inventory(documents.load_network("lab")), seed=1)
    source = PairSource((0.97, 0.01, 0.01, 0.01), 1e7, np.random.default_rng(2))
    plan = Plan("ab", "Alice", "Bob", 0, 8 * MS, 8 * MS, 8 * MS, Security(1e-9, 1e-12))
    made = KeySession(plan, source, FabricWires(fabric), np.random.default_rng(5), hand=hand)  # type: ignore[arg-type]
    made.begin()
    fabric.run(SECOND)
    return made


def test_two_kmes_hand_out_keys_that_were_photons() -> None:
    delivered: list[Delivery] = []
    made = session(delivered.append)
    assert made.total.delivered == 1
    ours, theirs = blocks(delivered[0], ("kme-a", "kme-b"))
    assert {block.pool.cutter for block in ours} == {"kme-a", "kme-b"}
    sizes = [len(block.material) for block in ours]
    assert sum(sizes) == made.total.bits // 8
    assert all(a.material == b.material for a, b in zip(ours, theirs, strict=True))
    assert all(block.provenance.origin is Origin.TWIN for block in ours)
    assert all(block.provenance.epsilon == delivered[0].ledger.total for block in ours)
    ends = {name: (keydesk.desk(name), MemoryShelf()) for name in ("kme-a", "kme-b")}
    for (desk, shelf), made_blocks in zip(ends.values(), (ours, theirs), strict=True):
        for block in made_blocks:
            octets = len(block.material)
            assert feed(desk, shelf, block, now=0) == octets
            assert len(block.material) == 0  # wiped
    stock = {name: sum(shelf.stock(block.pool) for block in ours) for name, (_, shelf) in ends.items()}
    assert stock["kme-a"] == stock["kme-b"] == made.total.bits // 8


def test_a_kme_in_production_takes_none_of_it() -> None:
    delivered: list[Delivery] = []
    session(delivered.append)
    ours, _ = blocks(delivered[0], ("kme-a", "kme-b"))
    with pytest.raises(InputError, match="origin 'twin'"):
        feed(keydesk.desk("kme-a", mode=Mode.PRODUCTION), MemoryShelf(), ours[0], now=0)


def test_the_delivery_is_used_up_and_small_keys_make_one_block() -> None:
    keys = (KeyMaterial(b"x"), KeyMaterial(b"x"))
    delivery = Delivery(uuid4(), "ab", 0, ("A", "B"), keys, Ledger(verification=1e-12))
    ours, theirs = blocks(delivery, ("kme-a", "kme-b"))
    assert [len(block.material) for block in ours] == [1]
    assert ours[0].material == theirs[0].material
    with pytest.raises(StateError):
        _ = delivery.keys[0].octets
