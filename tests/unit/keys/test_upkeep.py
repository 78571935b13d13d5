"""What happens to keys without their owners: each act destroys what it names, no more, and stands in the book."""

from __future__ import annotations

import json
from uuid import UUID

import keydesk
from quantum_fabric.keys import (
    Act,
    Desk,
    Grant,
    KeyRequest,
    MemoryShelf,
    Promise,
    Quota,
    life,
    reseal,
    revoke,
    revoke_sae,
    sweep,
    verify,
    void,
)
from quantum_fabric.keys.upkeep import revoke_pair

PAIRS = {pair: Quota() for pair in (("alice", "anna"), ("alice", "bea"), ("anna", "alice"), ("alice", "bob"))}


def at_home() -> tuple[Desk, MemoryShelf]:
    desk = keydesk.desk(homes={**keydesk.HOMES, "bea": "kme-a"}, pairs=PAIRS)
    shelf = MemoryShelf()
    keydesk.stock(desk, shelf, "kme-a", "kme-a")
    keydesk.stock(desk, shelf, "kme-a", "kme-b", number=1)
    return desk, shelf


def issued(desk: Desk, shelf: MemoryShelf, master: str, *slaves: str, number: int = 1) -> list[UUID]:
    given = desk.issue(shelf, master, KeyRequest(slaves[0], number=number, additional=slaves[1:]), 0)
    assert isinstance(given, Grant | Promise)
    return list(given.key_ids) if isinstance(given, Promise) else [key.key_id for key in given.keys]


def last(shelf: MemoryShelf) -> tuple[Act, str, dict[str, object]]:
    """The last entry of the book, whose chain holds."""
    assert verify(shelf.entries).number == len(shelf.entries)
    one = shelf.entries[-1]
    return one.act, one.actor, json.loads(one.facts)


def text(key_ids: list[UUID]) -> list[str]:
    return [str(key_id) for key_id in key_ids]


def alive(shelf: MemoryShelf, *key_ids: UUID) -> list[bool]:
    return [shelf.sealed(key_id) is not None for key_id in key_ids]


def test_each_act_stands_in_the_book() -> None:
    desk, shelf = at_home()
    assert last(shelf)[:2] == (Act.FED, "test source 'tests'")
    one, two = issued(desk, shelf, "alice", "anna", number=2)
    assert revoke(desk, shelf, one, "operator olga", 1)
    assert last(shelf) == (Act.REVOKED, "operator olga", {"keys": [str(one)]})
    assert sweep(desk, shelf, 3_600_000) == 1
    assert last(shelf) == (Act.EXPIRED, "kme-a", {"keys": [str(two)]})
    more = issued(desk, shelf, "alice", "bea", number=2)
    assert revoke_sae(desk, shelf, "bea", "operator", 1) == 2
    assert last(shelf) == (Act.REVOKED, "operator", {"sae": "bea", "keys": text(more)})
    promised = issued(desk, shelf, "alice", "bob", number=2)
    assert void(desk, shelf, promised, "kme-a", 2) == 2
    assert last(shelf) == (Act.VOIDED, "kme-a", {"keys": text(promised)})
    (three,) = issued(desk, shelf, "alice", "bob")
    record = shelf.key(three)
    assert record is not None
    shelf.move(life.confirm(record, "kme-b"))
    assert isinstance(desk.release(shelf, "alice", [three], 3), Grant)
    assert last(shelf) == (Act.ISSUED, "alice", {"keys": [str(three)]})
    new = Desk(desk.policy, keydesk.ring("new", older=(keydesk.kek("test"),)), keydesk.numbers(90))
    rows = reseal(new, shelf, 4)
    assert rows > 0
    assert last(shelf) == (Act.ROTATED, "kme-a", {"kek": "new", "rows": rows})


def test_what_changes_nothing_is_no_act() -> None:
    desk, shelf = at_home()
    (one,) = issued(desk, shelf, "alice", "anna")
    assert revoke(desk, shelf, one, "operator", 1)
    before = len(shelf.entries)
    assert not revoke(desk, shelf, one, "operator", 1)
    assert revoke_sae(desk, shelf, "anna", "operator", 1) == 0
    assert revoke_pair(desk, shelf, "alice", "anna", "operator", 1) == 0
    assert void(desk, shelf, [one], "kme-a", 1) == 0
    assert sweep(desk, shelf, 1) == reseal(desk, shelf, 1) == 0
    assert len(shelf.entries) == before


def test_a_pair_is_revoked_and_nobody_else() -> None:
    desk, shelf = at_home()
    (ours,) = issued(desk, shelf, "alice", "anna")
    (back,) = issued(desk, shelf, "anna", "alice")
    (hers,) = issued(desk, shelf, "alice", "bea")
    (both,) = issued(desk, shelf, "alice", "bea", "anna")
    assert revoke_pair(desk, shelf, "alice", "anna", "operator", 1) == 2
    assert last(shelf) == (
        Act.REVOKED, "operator", {"master": "alice", "slave": "anna", "keys": text([ours, both])},
    )  # fmt: skip
    assert alive(shelf, ours, back, hers, both) == [False, True, True, False]
    assert isinstance(desk.collect(shelf, "anna", "alice", [back], 2), Grant)
    assert isinstance(desk.collect(shelf, "alice", "bea", [hers], 2), Grant)
    assert not isinstance(desk.collect(shelf, "alice", "bea", [both], 2), Grant)


def test_a_revoked_sae_has_nothing_more_as_master_or_as_slave() -> None:
    desk, shelf = at_home()
    (to_her,) = issued(desk, shelf, "alice", "anna")
    (from_her,) = issued(desk, shelf, "anna", "alice")
    (other,) = issued(desk, shelf, "alice", "bea")
    assert revoke_sae(desk, shelf, "anna", "operator", 1) == 2
    assert alive(shelf, to_her, from_her, other) == [False, False, True]


def test_a_key_lives_until_the_instant_at_which_it_expires() -> None:
    desk, shelf = at_home()
    (one,) = issued(desk, shelf, "alice", "anna")
    life_time = desk.policy.limits.lifetime
    assert sweep(desk, shelf, life_time - 1) == 0
    assert alive(shelf, one) == [True]
    late = desk.collect(shelf, "alice", "anna", [one], life_time)
    assert late.details[0]["reason"] == "expired"  # type: ignore[union-attr]
    assert sweep(desk, shelf, life_time) == 1
