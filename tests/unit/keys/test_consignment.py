"""Two and three desks in step: same bits at both ends, once, whatever is repeated, lost, overtaken or lied about."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keydesk
from quantum_fabric.keys import (
    Consignment,
    Desk,
    Errand,
    Fate,
    Grant,
    KeyMaterial,
    KeyRequest,
    MemoryShelf,
    Mode,
    Origin,
    Promise,
    Provenance,
    Recall,
    Refusal,
    accept,
    confirmed,
    forget,
    void,
)

TEST = Provenance(Origin.TEST, "tests")


class Site:
    def __init__(self, kme: str, **changes: object) -> None:
        self.kme, self.desk, self.shelf = kme, keydesk.desk(kme, **changes), MemoryShelf()

    def stock(self, cutter: str, follower: str) -> bytes:
        return keydesk.stock(self.desk, self.shelf, cutter, follower)


def parcel(site: Site, errand: Errand) -> Consignment:
    record = site.shelf.key(errand.key_id)
    assert record is not None
    return Consignment(
        errand.key_id, record.master, record.slaves, 60_000, errand.slices, errand.masked, record.provenance
    )


def promised(site: Site, **fields: object) -> Promise:
    answer = site.desk.issue(site.shelf, "alice", KeyRequest("bob", **fields), 0)  # type: ignore[arg-type]
    assert isinstance(answer, Promise), answer
    return answer


def pair() -> tuple[Site, Site, bytes]:
    a, b = Site("kme-a"), Site("kme-b")
    plain = a.stock("kme-a", "kme-b")
    assert b.stock("kme-a", "kme-b") == plain
    return a, b, plain


def bits(answer: object) -> list[bytes]:
    assert isinstance(answer, Grant), answer
    return [bytes(key.material.octets) for key in answer.keys]


def test_the_way_of_a_key() -> None:
    a, b, plain = pair()
    promise = promised(a, number=2, size=1000)
    for errand in a.shelf.errands("kme-b", 10):
        assert accept(b.desk, b.shelf, "kme-a", parcel(a, errand), 1) is None
        assert accept(b.desk, b.shelf, "kme-a", parcel(a, errand), 1) is None, "the same again"
    ids = list(promise.key_ids)
    assert confirmed(a.desk, a.shelf, "kme-b", ids, 2) == ids
    assert confirmed(a.desk, a.shelf, "kme-b", ids, 2) == []
    assert a.shelf.errands("kme-b", 10) == []
    at_a = bits(a.desk.release(a.shelf, "alice", ids, 3))
    assert isinstance(a.desk.release(a.shelf, "alice", ids, 3), Refusal), "once"
    at_b = bits(b.desk.collect(b.shelf, "alice", "bob", ids, 4))
    assert b"".join(at_a) == b"".join(at_b) == plain[:250]
    assert isinstance(b.desk.collect(b.shelf, "alice", "bob", ids, 4), Refusal), "once"


@settings(max_examples=60)
@given(st.lists(st.integers(8, 60), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_parcels_may_come_in_any_order(octets: list[int], shuffle: object) -> None:
    a, b, plain = pair()
    for size in octets:
        promised(a, size=8 * size)
    errands = a.shelf.errands("kme-b", 100)
    shuffle.shuffle(errands)  # type: ignore[attr-defined]
    for errand in errands:
        assert accept(b.desk, b.shelf, "kme-a", parcel(a, errand), 1) is None
    ids = [key.key_id for key in sorted(errands, key=lambda one: one.slices[0].offset)]
    found = bits(b.desk.collect(b.shelf, "alice", "bob", ids, 2))
    assert b"".join(found) == plain[: sum(octets)]


def test_multicast_over_two_far_kmes_is_masked_with_bits_of_the_second() -> None:
    a, b, plain = pair()
    c = Site("kme-c")
    pad = a.stock("kme-a", "kme-c")
    c.stock("kme-a", "kme-c")
    a.stock("kme-a", "kme-a")
    promise = promised(a, additional=("carol", "anna"))
    assert promise.kmes == ("kme-b", "kme-c")
    for far in (b, c):
        (errand,) = a.shelf.errands(far.kme, 10)
        assert accept(far.desk, far.shelf, "kme-a", parcel(a, errand), 1) is None
        if far is c:
            assert errand.masked == bytes(x ^ y for x, y in zip(plain[:32], pad[:32], strict=True))
    ids = list(promise.key_ids)
    assert confirmed(a.desk, a.shelf, "kme-b", ids, 1) == []
    assert isinstance(a.desk.release(a.shelf, "alice", ids, 1), Refusal), "one is missing"
    assert isinstance(a.desk.collect(a.shelf, "alice", "anna", ids, 1), Refusal), (
        "nor does a slave here get it early"
    )
    assert confirmed(a.desk, a.shelf, "kme-c", ids, 1) == ids
    everybody = [
        a.desk.release(a.shelf, "alice", ids, 2),
        a.desk.collect(a.shelf, "alice", "anna", ids, 2),
        b.desk.collect(b.shelf, "alice", "bob", ids, 2),
        c.desk.collect(c.shelf, "alice", "carol", ids, 2),
    ]
    assert [bits(answer) for answer in everybody] == [[plain[:32]]] * 4


def test_a_recall_spends_the_places_whether_the_parcel_came_or_not() -> None:
    a, b, _ = pair()
    here, lost = promised(a).key_ids[0], promised(a).key_ids[0]
    errands = {one.key_id: one for one in a.shelf.errands("kme-b", 10)}
    assert accept(b.desk, b.shelf, "kme-a", parcel(a, errands[here]), 1) is None
    late = parcel(a, errands[lost])
    assert void(a.desk, a.shelf, [here, lost], "kme-a", 2) == 2
    fates = []
    for errand in a.shelf.errands("kme-b", 10):
        assert errand.void
        recall = Recall(errand.key_id, "alice", ("bob",), errand.slices)
        fates += [forget(b.desk, b.shelf, "kme-a", recall, 3), forget(b.desk, b.shelf, "kme-a", recall, 3)]
    assert fates == [Fate.VOIDED, Fate.VOIDED, Fate.ABSENT, Fate.VOIDED]
    refused = accept(b.desk, b.shelf, "kme-a", late, 4)
    assert isinstance(refused, Refusal), "overtaken by its recall"
    assert confirmed(a.desk, a.shelf, "kme-b", [here], 5) == [], (
        "a confirmation that comes too late frees nothing"
    )
    pool = a.desk.policy.pool(("bob",))
    assert a.shelf.stock(pool) == b.shelf.stock(pool), "still in step"
    assert isinstance(b.desk.collect(b.shelf, "alice", "bob", [here, lost], 6), Refusal)


def test_too_late_to_recall() -> None:
    a, b, _ = pair()
    (key_id,) = promised(a).key_ids
    (errand,) = a.shelf.errands("kme-b", 10)
    accept(b.desk, b.shelf, "kme-a", parcel(a, errand), 1)
    bits(b.desk.collect(b.shelf, "alice", "bob", [key_id], 2))
    assert forget(b.desk, b.shelf, "kme-a", Recall(key_id, "alice", ("bob",)), 3) is Fate.TOO_LATE


@pytest.mark.parametrize(
    ("sender", "changes", "status"),
    [
        ("kme-c", {}, 401),
        ("kme-b", {}, 401),
        ("kme-a", {"master": "anna"}, 401),
        ("kme-a", {"master": "bob"}, 401),
        ("kme-a", {"slaves": ("carol",)}, 401),
        ("kme-a", {"slaves": ("bob", "bob")}, 400),
        ("kme-a", {"masked": b"short"}, 400),
        ("kme-a", {"lifetime": 0}, 400),
        ("kme-a", {"content": ()}, 400),
        ("kme-a", {"content": KeyMaterial(bytes(32))}, 400),
    ],
)
def test_what_a_far_kme_is_not_believed(sender: str, changes: dict[str, object], status: int) -> None:
    a, b, _ = pair()
    promised(a)
    (errand,) = a.shelf.errands("kme-b", 10)
    answer = accept(b.desk, b.shelf, sender, replace(parcel(a, errand), **changes), 1)  # type: ignore[arg-type]
    assert isinstance(answer, Refusal)
    assert answer.status == status
    assert b.shelf.stock(b.desk.policy.pool(("bob",))) == 0
    assert b.shelf.key(errand.key_id) is None


def test_places_that_are_not_there_and_places_named_twice() -> None:
    a, b, _ = pair()
    promised(a)
    (errand,) = a.shelf.errands("kme-b", 10)
    good = parcel(a, errand)
    (place,) = good.content if isinstance(good.content, tuple) else ()
    for places in (
        (replace(place, block=uuid4()),),
        (replace(place, offset=4096),),
        (place, replace(place, block=uuid4())),
        (replace(place, octets=16), replace(place, octets=16)),
    ):
        answer = accept(b.desk, b.shelf, "kme-a", replace(good, key_id=uuid4(), content=places), 1)
        assert isinstance(answer, Refusal)
        assert answer.status == 503
    assert accept(b.desk, b.shelf, "kme-a", good, 1) is None
    twice = accept(b.desk, b.shelf, "kme-a", replace(good, key_id=uuid4()), 1)
    assert isinstance(twice, Refusal), "the same bits are never used for a second key"


def test_by_value_between_neighbours_only() -> None:
    near = {"neighbours": frozenset({"kme-a", "kme-b"})}
    a, b = Site("kme-a", **near), Site("kme-b", **near)
    plain = a.stock("kme-a", "kme-a")
    (key_id,) = promised(a).key_ids
    (errand,) = a.shelf.errands("kme-b", 10)
    assert (errand.slices, errand.masked) == ((), b"")
    sealed = a.shelf.sealed(key_id)
    assert sealed is not None
    content = a.desk.ring.open(key_id, sealed)
    value = Consignment(key_id, "alice", ("bob",), 1000, content, provenance=TEST)
    strict = Desk(keydesk.policy("kme-b", mode=Mode.PRODUCTION, **near), keydesk.ring(), keydesk.numbers())
    assert isinstance(accept(strict, MemoryShelf(), "kme-a", value, 1), Refusal), "test bits in production"
    assert isinstance(accept(strict, MemoryShelf(), "kme-a", replace(value, provenance=None), 1), Refusal)
    assert accept(b.desk, b.shelf, "kme-a", value, 1) is None
    assert bits(b.desk.collect(b.shelf, "alice", "bob", [key_id], 2)) == [plain[:32]]


def test_a_key_id_of_another_key() -> None:
    a, b, _ = pair()
    promised(a)
    (errand,) = a.shelf.errands("kme-b", 10)
    good = parcel(a, errand)
    assert accept(b.desk, b.shelf, "kme-a", good, 1) is None
    answer = accept(b.desk, b.shelf, "kme-a", replace(good, slaves=("bob", "carol")), 1)
    assert isinstance(answer, Refusal)
    assert answer.message == "this key ID was used before"
    assert forget(b.desk, b.shelf, "kme-c", Recall(errand.key_id, "alice", ("bob",)), 2) == Refusal(
        401, "the master SAE does not live at the sender"
    )


def test_masters_of_both_ends_cut_from_different_stocks() -> None:
    """If both ends cut out of one stock at the same time, two keys would share bits."""
    a, b, _ = pair()
    assert a.desk.policy.pool(("bob",)) != b.desk.policy.pool(("alice",))
