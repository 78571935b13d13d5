"""The desk: who gets what, in the words of the standard, once."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

import keydesk
from quantum_fabric.errors import InputError
from quantum_fabric.keys import (
    Act,
    Block,
    Desk,
    End,
    Grant,
    KeyMaterial,
    KeyRequest,
    Limits,
    MemoryShelf,
    Mode,
    Origin,
    Pool,
    Promise,
    Provenance,
    Quota,
    Refusal,
    Status,
    TestSource,
    feed,
    life,
    reseal,
    revoke,
    revoke_sae,
    sweep,
    verify,
    void,
)


def at_home(octets: int = 4096, **changes: object) -> tuple[Desk, MemoryShelf, bytes]:
    desk, shelf = keydesk.desk(**changes), MemoryShelf()
    return desk, shelf, keydesk.stock(desk, shelf, "kme-a", "kme-a", octets)


def issue(desk: Desk, shelf: MemoryShelf, now: int = 0, **fields: object) -> Grant | Promise | Refusal:
    return desk.issue(shelf, "alice", KeyRequest("anna", **fields), now)  # type: ignore[arg-type]


def bits(answer: object) -> list[bytes]:
    assert isinstance(answer, Grant), answer
    return [bytes(key.material.octets) for key in answer.keys]


def ids(answer: object) -> list[UUID]:
    assert isinstance(answer, Grant), answer
    return [key.key_id for key in answer.keys]


def test_master_and_slave_get_the_same_bits_of_the_stock_once() -> None:
    desk, shelf, plain = at_home()
    given = issue(desk, shelf, number=3)
    assert b"".join(bits(given)) == plain[:96]
    assert shelf.stock(Pool("kme-a", "kme-a")) == 4096 - 96
    assert bits(desk.collect(shelf, "alice", "anna", ids(given), 1)) == bits(given)
    again = desk.collect(shelf, "alice", "anna", ids(given)[:1], 2)
    assert again == Refusal(
        400,
        "one or more keys specified are not found on KME",
        ({"key_ID": str(ids(given)[0]), "reason": "consumed"},),
    )
    assert [shelf.sealed(key_id) for key_id in ids(given)] == [None] * 3, "the bits are gone"
    assert verify(shelf.entries).number == len(shelf.entries)
    assert [one.act for one in shelf.entries] == [Act.FED, Act.ISSUED, Act.COLLECTED, Act.REFUSED]


def test_any_size_is_cut_and_joined_from_cells() -> None:
    desk, shelf, plain = at_home(limits=Limits(smallest=8))
    sizes = [8, 256, 1000, 64, 8192, 256, 3000]
    found = b"".join(b"".join(bits(issue(desk, shelf, size=size))) for size in sizes)
    assert found == plain[: sum(sizes) // 8]
    assert shelf.stock(Pool("kme-a", "kme-a")) == 4096 - sum(sizes) // 8


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"size": 7}, 400, "size shall be a multiple of 8"),
        ({"size": 257}, 400, "size shall be a multiple of 8"),
        ({"size": 0}, 400, "size is out of range"),
        ({"size": 8}, 400, "size is out of range"),
        ({"size": 80_000_000_000}, 400, "size is out of range"),
        ({"size": -8}, 400, "size is out of range"),
        ({"number": 0}, 400, "number is out of range"),
        ({"number": -1}, 400, "number is out of range"),
        ({"number": 129}, 400, "number is out of range"),
        ({"additional": ("anna",)}, 400, "a slave SAE is named twice"),
        ({"additional": ("nobody",)}, 401, "this SAE may not share keys with every slave named"),
        ({"mandatory": {"x_y": 1}}, 400, "not all extension_mandatory parameters are supported"),
        ({"mandatory": {"qfabric_origin": "qkd"}}, 400, "not all extension_mandatory request options could be met"),
        ({"mandatory": {"qfabric_origin": 3}}, 400, "not all extension_mandatory request options could be met"),
        ({"mandatory": {"qfabric_max_epsilon": 1e-9}}, 400, "not all extension_mandatory request options could be met"),
        ({"mandatory": {"qfabric_lifetime_s": 0}}, 400, "not all extension_mandatory request options could be met"),
        ({"mandatory": {"qfabric_lifetime_s": True}}, 400, "not all extension_mandatory request options could be met"),
        ({"number": 128, "size": 8192}, 503, "not enough key material is stored for this pair"),
    ],
)  # fmt: skip
def test_refusals_change_nothing_but_the_book(fields: dict[str, object], status: int, message: str) -> None:
    desk, shelf, _ = at_home()
    answer = issue(desk, shelf, **fields)
    assert isinstance(answer, Refusal)
    assert (answer.status, answer.message) == (status, message)
    assert shelf.stock(Pool("kme-a", "kme-a")) == 4096
    assert shelf.usage("alice", "anna") is None
    assert [one.act for one in shelf.entries] == [Act.FED, Act.REFUSED]


def test_extensions_that_can_be_met() -> None:
    desk, shelf, _ = at_home()
    answer = issue(
        desk, shelf, mandatory={"qfabric_origin": "test", "qfabric_lifetime_s": 1, "qfabric_max_epsilon": 1}
    )
    assert isinstance(desk.collect(shelf, "alice", "anna", ids(answer), 1000), Refusal), "expired after 1 s"
    answer = issue(desk, shelf, optional={"acme_x": 1, "qfabric_lifetime_s": 2}, now=0)
    assert isinstance(desk.collect(shelf, "alice", "anna", ids(answer), 1999), Grant)


def test_nobody_else_gets_in() -> None:
    desk, shelf, _ = at_home()
    key_ids = ids(issue(desk, shelf))
    for master, caller, status in (
        ("alice", "eve", 401),  # unknown to the policy
        ("alice", "bob", 401),  # lives elsewhere
        ("alice", "alice", 401),  # the master is no slave of its own
        ("anna", "alice", 401),  # an allowed pair, but alice was not named for this key
    ):
        answer = desk.collect(shelf, master, caller, key_ids, 1)
        assert isinstance(answer, Refusal)
        assert answer.status == status, (master, caller)
    assert desk.issue(shelf, "eve", KeyRequest("anna"), 1) == Refusal(
        401, "this SAE may not share keys with every slave named"
    )
    assert isinstance(desk.issue(shelf, "carol", KeyRequest("alice"), 1), Refusal)
    assert isinstance(desk.collect(shelf, "alice", "anna", key_ids, 1), Grant), "the rightful one still does"


def test_unknown_and_strangers_keys() -> None:
    desk, shelf, _ = at_home()
    mine = ids(issue(desk, shelf))
    unknown = uuid4()
    answer = desk.collect(shelf, "alice", "anna", [*mine, unknown], 1)
    assert isinstance(answer, Refusal)
    assert (answer.status, answer.details) == (400, ({"key_ID": str(unknown), "reason": "unknown"},))
    assert isinstance(desk.collect(shelf, "alice", "anna", mine, 1), Grant), (
        "a batch is all or nothing: it was nothing"
    )
    for wrong in ([], [unknown, unknown], [uuid4() for _ in range(129)]):
        refusal = desk.collect(shelf, "alice", "anna", wrong, 1)
        assert isinstance(refusal, Refusal)
        assert refusal.status == 400


def test_a_key_is_found_under_the_name_of_its_master_only() -> None:
    """A slave that shares keys with two masters cannot take one's key for the other's."""
    both = {("alice", "anna"): Quota(), ("bea", "anna"): Quota()}
    desk, shelf, _ = at_home(homes={**keydesk.HOMES, "bea": "kme-a"}, pairs=both)
    given = issue(desk, shelf)
    wrong = desk.collect(shelf, "bea", "anna", ids(given), 1)
    assert isinstance(wrong, Refusal)
    assert (wrong.status, wrong.details[0]["reason"]) == (400, "unknown")
    assert bits(desk.collect(shelf, "alice", "anna", ids(given), 2)) == bits(given), "and it still waits"


def test_each_of_several_slaves_has_a_key_once() -> None:
    both = {("alice", "anna"): Quota(), ("alice", "bea"): Quota()}
    desk, shelf, _ = at_home(homes={**keydesk.HOMES, "bea": "kme-a"}, pairs=both)
    given = issue(desk, shelf, additional=("bea",))
    assert bits(desk.collect(shelf, "alice", "anna", ids(given), 1)) == bits(given)
    again = desk.collect(shelf, "alice", "anna", ids(given), 2)
    assert isinstance(again, Refusal)
    assert (again.status, again.details[0]["reason"]) == (400, "collected before")
    assert bits(desk.collect(shelf, "alice", "bea", ids(given), 3)) == bits(given)


def test_status() -> None:
    desk, shelf, _ = at_home(octets=320)
    assert desk.status(shelf, "alice", "anna") == Status(
        "kme-a", "kme-a", "alice", "anna", 256, 10, 1_000_000, 128, 8192, 64, 8
    )
    assert desk.status(shelf, "alice", "bob") == Status(
        "kme-a", "kme-b", "alice", "bob", 256, 0, 1_000_000, 128, 8192, 64, 8
    )
    for master, slave in (
        ("anna", "bob"),
        ("eve", "anna"),
        ("alice", "eve"),
        ("bob", "alice"),
        ("alice", "alice"),
    ):
        assert isinstance(desk.status(shelf, master, slave), Refusal)


def test_quotas() -> None:
    pairs = {("alice", "anna"): Quota(waiting=5, burst=4, rate=1.0)}
    desk, shelf, _ = at_home(pairs=pairs)
    assert isinstance(issue(desk, shelf, number=5), Refusal), "more than the burst"
    first = issue(desk, shelf, number=4)
    assert isinstance(first, Grant)
    assert isinstance(issue(desk, shelf, now=999), Refusal), "not rested"
    assert isinstance(issue(desk, shelf, now=1000), Grant)
    answer = issue(desk, shelf, now=60_000)
    assert isinstance(answer, Refusal), "five wait"
    assert (answer.status, answer.message) == (503, "too many keys of this pair wait to be collected")
    assert isinstance(desk.collect(shelf, "alice", "anna", ids(first), 60_000), Grant)
    assert isinstance(issue(desk, shelf, now=60_000), Grant)
    assert isinstance(issue(desk, shelf, now=0), Refusal | Grant), "a clock that goes back breaks nothing"


def test_expiry_revocation_and_what_is_left() -> None:
    desk, shelf, _ = at_home()
    old, young = ids(issue(desk, shelf)), ids(issue(desk, shelf, now=1_000_000))
    assert sweep(desk, shelf, 3_600_000) == 1
    assert sweep(desk, shelf, 3_600_000) == 0
    assert [shelf.sealed(key_id) is None for key_id in (*old, *young)] == [True, False]
    assert revoke(desk, shelf, young[0], "operator", 1)
    assert not revoke(desk, shelf, young[0], "operator", 1)
    assert not revoke(desk, shelf, uuid4(), "operator", 1)
    reasons = [
        desk.collect(shelf, "alice", "anna", one, 1_000_001).details[0]["reason"]  # type: ignore[union-attr]
        for one in (old, young)
    ]
    assert reasons == ["expired", "revoked"]
    issue(desk, shelf, number=3)
    assert revoke_sae(desk, shelf, "anna", "operator", 1) == 3
    assert revoke_sae(desk, shelf, "anna", "operator", 1) == 0
    assert shelf.waiting("alice", "anna") == 0


def test_a_key_for_another_kme_waits_for_it() -> None:
    desk, shelf = keydesk.desk(), MemoryShelf()
    plain = keydesk.stock(desk, shelf, "kme-a", "kme-b")
    promise = desk.issue(shelf, "alice", KeyRequest("bob", number=2), 0)
    assert isinstance(promise, Promise)
    assert promise.kmes == ("kme-b",)
    errands = shelf.errands("kme-b", 10)
    assert [(one.key_id, one.slices[0].offset, one.masked) for one in errands] == [
        (promise.key_ids[0], 0, b""),
        (promise.key_ids[1], 32, b""),
    ]
    early = desk.release(shelf, "alice", promise.key_ids, 1)
    assert isinstance(early, Refusal)
    assert early.status == 503
    assert void(desk, shelf, list(promise.key_ids), "kme-a", 2) == 2
    assert [(one.void, bool(one.slices)) for one in shelf.errands("kme-b", 10)] == [(True, True)] * 2
    record = shelf.key(promise.key_ids[0])
    assert record is not None
    assert record.end is End.VOIDED
    assert shelf.stock(Pool("kme-a", "kme-b")) == len(plain) - 64, "burnt, never put back"


def test_production_takes_no_bits_that_cannot_be_secret() -> None:
    desk, shelf = keydesk.desk(mode=Mode.PRODUCTION), MemoryShelf()
    for origin in (Origin.TEST, Origin.TWIN):
        block = Block(uuid4(), Pool("kme-a", "kme-a"), KeyMaterial(bytes(32)), Provenance(origin, "x"))
        with pytest.raises(InputError, match="production"):
            feed(desk, shelf, block, 0)
    real = Block(uuid4(), Pool("kme-a", "kme-a"), KeyMaterial(bytes(64)), Provenance(Origin.QKD, "x", 1e-10))
    assert feed(desk, shelf, real, 0) == 64
    assert isinstance(issue(desk, shelf), Grant)
    dry = issue(desk, shelf, number=2)
    assert isinstance(dry, Refusal), "it runs dry and says so; nothing is made up"
    assert dry.status == 503


def test_a_trial_store_in_production_hands_nothing_out() -> None:
    """Bits of a trial that were left in the store are not served once the mode is production."""
    trial, shelf, _ = at_home()
    strict = Desk(keydesk.policy(mode=Mode.PRODUCTION), keydesk.ring(), keydesk.numbers(100))
    answer = issue(strict, shelf)
    assert isinstance(answer, Refusal)
    assert answer.message == "not all extension_mandatory request options could be met"
    assert isinstance(issue(trial, shelf), Grant)


def test_blocks_are_taken_once_into_pools_of_this_kme_that_have_room() -> None:
    desk, shelf = keydesk.desk(limits=Limits(stock=4)), MemoryShelf()
    source, pool = TestSource("t"), Pool("kme-a", "kme-a")
    assert feed(desk, shelf, source.block(pool, 0, 100), 0) == 100
    assert feed(desk, shelf, source.block(pool, 0, 100), 0) == 0
    full = source.block(pool, 1, 100)
    answer = feed(desk, shelf, full, 0)
    assert isinstance(answer, Refusal)
    assert answer.message == "the pool is full"
    assert full.material.bits == 800, "not wiped: the source still has it"
    with pytest.raises(InputError, match="a pool of kme-a"):
        feed(desk, shelf, source.block(Pool("kme-b", "kme-c"), 0, 10), 0)


def test_kek_rotation_reseals_everything() -> None:
    desk, shelf, _ = at_home(octets=96)
    given = issue(desk, shelf)
    new = Desk(desk.policy, keydesk.ring("new", older=(keydesk.kek("test"),)), keydesk.numbers(50))
    assert reseal(new, shelf, 0) == 3, "two cells and a key"
    assert reseal(new, shelf, 0) == 0
    alone = Desk(desk.policy, keydesk.ring("new"), keydesk.numbers(60))
    assert bits(alone.collect(shelf, "alice", "anna", ids(given), 1)) == bits(given)
    assert isinstance(issue(alone, shelf, number=2), Grant)


def test_no_key_is_in_the_audit_book() -> None:
    desk, shelf, plain = at_home()
    given = issue(desk, shelf, number=2)
    desk.collect(shelf, "alice", "anna", ids(given), 1)
    text = repr(shelf.entries)
    assert not [key for key in bits(given) if key.hex() in text or repr(key) in text]
    assert plain[:8].hex() not in text


def test_a_promised_key_is_released_to_its_master_in_its_time_only() -> None:
    """A slave at home here waits for the key too; it collects, it does not release."""
    desk, shelf = keydesk.desk(), MemoryShelf()
    keydesk.stock(desk, shelf, "kme-a", "kme-b")
    promise = desk.issue(shelf, "alice", KeyRequest("bob", additional=("anna",)), 0)
    assert isinstance(promise, Promise)
    record = shelf.key(promise.key_ids[0])
    assert record is not None
    shelf.move(life.confirm(record, "kme-b"))
    for who, when in (("anna", 1), ("eve", 1), ("alice", record.expires)):
        assert isinstance(desk.release(shelf, who, promise.key_ids, when), Refusal), (who, when)
    given = desk.release(shelf, "alice", promise.key_ids, record.expires - 1)
    assert isinstance(desk.release(shelf, "alice", promise.key_ids, 2), Refusal), "once"
    assert bits(desk.collect(shelf, "alice", "anna", promise.key_ids, 2)) == bits(given)


def test_the_quota_of_every_slave_counts() -> None:
    both = {("alice", "anna"): Quota(), ("alice", "bea"): Quota(burst=1, rate=1e-3)}
    homes = {**keydesk.HOMES, "bea": "kme-a"}
    desk, shelf, _ = at_home(homes=homes, pairs=both, limits=Limits(slaves=1))
    assert isinstance(issue(desk, shelf, additional=("bea",)), Grant)
    over = issue(desk, shelf, additional=("bea",))
    assert isinstance(over, Refusal)
    assert (over.status, over.details) == (503, ({"slave": "bea"},))
    assert isinstance(issue(desk, shelf), Grant), "without her there is no limit"
    none = keydesk.desk(homes=homes, pairs=both, limits=Limits(slaves=0))
    many = issue(none, shelf, additional=("bea",))
    assert isinstance(many, Refusal)
    assert (many.status, many.details) == (400, ({"max_SAE_ID_count": 0},))
