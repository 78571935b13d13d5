"""Key streams move by move: both ends read the same chunks by index, each once, and every refusal has its status."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

import keydesk
from quantum_fabric.errors import InputError
from quantum_fabric.keys import (
    Consignment,
    Desk,
    Limits,
    MemoryShelf,
    Quota,
    Recall,
    Refusal,
    accept,
    confirmed,
    forget,
    sweep,
    verify,
    void,
)
from quantum_fabric.keys.policy import Usage
from quantum_fabric.keys.records import Instant, Provenance
from quantum_fabric.keys.streams import (
    LARGEST,
    NOBODY,
    Code,
    EndState,
    Quality,
    Stream,
    StreamEnd,
    chunk_id,
    is_chunk,
    of_stream,
    stream_of,
)
from quantum_fabric.keys.streams_answers import Elsewhere, Given, Opened, Refused, Wait
from quantum_fabric.keys.streams_open import (
    IDLE,
    MOST_STREAMS,
    close_end,
    find,
    finish,
    open_end,
    pair_of,
    remember,
    untold,
)
from quantum_fabric.keys.streams_quality import HORIZON_SECONDS, LONGEST_TIMEOUT
from quantum_fabric.keys.streams_read import read, want

ANY = Quality()


def fits(provenance: Provenance, age: Instant) -> int:
    return 0


class Kme:
    """One KME in memory."""

    def __init__(self, name: str, **policy: object) -> None:
        self.name = name
        self.desk = keydesk.desk(name, **policy)
        self.shelf = MemoryShelf()

    def open(self, sae: str, peer: str, name: UUID = NOBODY, asked: Quality = ANY, now: int = 0) -> object:
        return open_end(self.desk, self.shelf, sae, peer, name, asked, now)

    def read(self, sae: str, name: UUID, index: int | None = None, now: int = 0, begin: int = 0) -> object:
        return read(self.desk, self.shelf, sae, name, index, now, fits, begin)

    def close(self, sae: str, name: UUID, now: int = 0) -> object:
        return close_end(self.desk, self.shelf, sae, name, now)


def local(octets: int = 4096, asked: Quality = ANY, **policy: object) -> tuple[Kme, UUID]:
    """alice and anna at one KME, both ends open."""
    kme = Kme("kme-a", **policy)
    if octets:
        keydesk.stock(kme.desk, kme.shelf, "kme-a", "kme-a", octets)
    first = kme.open("alice", "anna", asked=asked)
    assert isinstance(first, Opened), first
    assert first.code is Code.PEER_ABSENT
    second = kme.open("anna", "alice", first.stream.name)
    assert isinstance(second, Opened)
    assert second.code is Code.SUCCESSFUL
    return kme, first.stream.name


def bits(answer: object) -> bytes:
    assert isinstance(answer, Given), answer
    return bytes(answer.grant.keys[0].material.octets)


# ------------------------------------------------------------------------------------------------------- one KME


def test_both_ends_read_the_same_chunk_once() -> None:
    kme, name = local()
    for index in (0, 7, 3, LARGEST):
        mine = bits(kme.read("anna", name, index))
        assert bits(kme.read("alice", name, index)) == mine
        for sae in ("alice", "anna"):
            again = kme.read(sae, name, index)
            assert isinstance(again, Refused)
            assert again.code is Code.INSUFFICIENT
    assert kme.shelf._sealed == {}, "what both have is destroyed"
    verify(kme.shelf.entries)
    text = "".join(entry.facts for entry in kme.shelf.entries)
    assert '"index":7' in text


def test_every_refusal_is_in_the_book() -> None:
    kme, name = local()
    kme.read("alice", name, 0)
    before = len(kme.shelf.entries)
    kme.read("alice", name, 0)
    kme.read("bob", name, 0)
    kme.open("alice", "anna", name)
    kme.open("alice", "anna", asked=Quality(chunk=1))
    kme.open("alice", "eve")
    found = [(entry.act.value, json.loads(entry.facts)) for entry in kme.shelf.entries[before:]]
    assert [(act, facts["asked"], facts["status"]) for act, facts in found] == [
        ("refused", "get_key", 2), ("refused", "get_key", 4), ("refused", "open_connect", 5), ("refused", "open_connect", 7),
        ("refused", "open_connect", 401),
    ]  # fmt: skip


def test_without_an_index_each_end_goes_on_after_the_furthest() -> None:
    kme, name = local()
    first = [kme.read("alice", name) for _ in range(3)]
    assert [one.index for one in first if isinstance(one, Given)] == [0, 1, 2]
    assert [bits(kme.read("anna", name)) for _ in range(3)] == [bits(one) for one in first]
    bits(kme.read("alice", name, 9))
    after = kme.read("alice", name)
    assert isinstance(after, Given)
    assert after.index == 10


def test_a_chunk_that_expired_is_stepped_over() -> None:
    kme, name = local(asked=Quality(ttl=10))
    bits(kme.read("alice", name))
    sweep(kme.desk, kme.shelf, 10_000)
    gone = kme.read("anna", name, 0, now=10_000)
    assert isinstance(gone, Refused)
    assert gone.code is Code.INSUFFICIENT
    found = kme.read("anna", name, now=10_000)
    assert isinstance(found, Given)
    assert found.index == 1
    assert bits(kme.read("alice", name, now=10_000)) == bits(found), "alice goes on with 1 by herself"


def test_open_statuses() -> None:
    kme, name = local()
    again = kme.open("alice", "anna", name)
    assert isinstance(again, Refused)
    assert again.code is Code.IN_USE
    others = Kme("kme-a")
    mine = UUID(int=77, version=4)
    assert isinstance(others.open("alice", "bob", mine), Opened)
    taken = others.open("alice", "anna", mine)
    assert isinstance(taken, Refused)
    assert taken.code is Code.IN_USE
    for sae, peer in (("alice", "eve"), ("eve", "alice"), ("bob", "alice"), ("anna", "bob")):
        refused = others.open(sae, peer)
        assert isinstance(refused, Refusal), (sae, peer)
        assert refused.status == 401


def test_a_predefined_name_is_used_again_after_both_have_closed() -> None:
    kme = Kme("kme-a")
    keydesk.stock(kme.desk, kme.shelf, "kme-a", "kme-a")
    name, seen = UUID(int=5, version=4), set()
    for _ in range(2):
        assert isinstance(kme.open("anna", "alice", name), Opened)
        opened = kme.open("alice", "anna", name)
        assert isinstance(opened, Opened)
        assert opened.stream.name == name
        seen.add(bits(kme.read("alice", name, 0)))
        assert kme.close("alice", name) is None
        early = kme.open("alice", "anna", name)
        assert isinstance(early, Refused), "the other end still reads"
        assert early.code is Code.IN_USE
        assert kme.close("anna", name) is None
        assert kme.shelf.streams() == []
        assert kme.shelf.living("alice") == [], "what anna did not read is destroyed"
    assert len(seen) == 2, "the same name and index, and other bits"


def test_get_key_statuses() -> None:
    kme = Kme("kme-a")
    opened = kme.open("alice", "anna")
    assert isinstance(opened, Opened)
    name = opened.stream.name
    alone = kme.read("alice", name)
    assert isinstance(alone, Wait)
    assert alone.code is Code.PEER_NOT_CONNECTED
    kme.open("anna", "alice", name)
    dry = kme.read("alice", name)
    assert isinstance(dry, Wait)
    assert dry.code is Code.INSUFFICIENT
    keydesk.stock(kme.desk, kme.shelf, "kme-a", "kme-a", 64)
    kme.read("alice", name, 0)
    for sae, which in (("bob", name), ("alice", UUID(int=9)), ("alice", NOBODY)):
        none = kme.read(sae, which)
        assert isinstance(none, Refused)
        assert none.code is Code.NO_CONNECTION
    kme.close("alice", name)
    closed = kme.read("alice", name)
    assert isinstance(closed, Refused)
    assert closed.code is Code.NO_CONNECTION
    bits(kme.read("anna", name, 0))
    left = kme.read("anna", name, 1)
    assert isinstance(left, Refused), "nothing is cut any more"
    assert left.code is Code.PEER_NOT_CONNECTED
    again = kme.close("alice", name)
    assert isinstance(again, Refused)
    assert again.code is Code.NO_CONNECTION


def test_metadata_that_does_not_fit_leaves_the_chunk() -> None:
    kme, name = local()
    small = read(kme.desk, kme.shelf, "alice", name, 0, 0, lambda provenance, age: 44)
    assert isinstance(small, Refused)
    assert (small.code, small.needed) == (Code.METADATA, 44)
    bits(kme.read("alice", name, 0))


def test_a_pair_that_is_not_allowed_any_more_gets_nothing() -> None:
    kme, name = local()
    kme.desk.policy = replace(kme.desk.policy, pairs={})
    gone = kme.read("alice", name)
    assert isinstance(gone, Refused)
    assert gone.code is Code.NO_CONNECTION


def test_streams_are_bounded_and_idle_ones_are_closed() -> None:
    kme = Kme("kme-a")
    for _ in range(MOST_STREAMS):
        assert isinstance(kme.open("alice", "anna"), Opened)
    full = kme.open("alice", "anna")
    assert isinstance(full, Refused)
    assert full.code is Code.NO_CONNECTION
    assert isinstance(kme.open("alice", "bob"), Opened), "another pair is none of this one's business"
    assert isinstance(kme.open("alice", "anna", now=IDLE), Opened)
    assert len(kme.shelf.streams()) == 1


# ------------------------------------------------------------------------------------------------------------ QoS


@pytest.mark.parametrize(
    ("asked", "best"),
    [
        (Quality(chunk=7), {"chunk": 8}),
        (Quality(chunk=LARGEST), {"chunk": 1024}),
        (Quality(max_bps=LARGEST), {"max_bps": 1_280_000}),
        (Quality(min_bps=5_000), {"min_bps": 4096 * 8 // HORIZON_SECONDS}),
        (Quality(max_bps=100, min_bps=200), {"min_bps": 100}),
        (Quality(ttl=3601), {"ttl": 3600}),
        (Quality(timeout=LONGEST_TIMEOUT + 1), {"timeout": LONGEST_TIMEOUT}),
        (Quality(mimetype="text/xml"), {"mimetype": "application/json"}),
    ],
)
def test_a_qos_that_cannot_be_met_comes_back_with_the_best_that_can(
    asked: Quality, best: dict[str, object]
) -> None:
    kme = Kme("kme-a")
    keydesk.stock(kme.desk, kme.shelf, "kme-a", "kme-a", 4096)
    answer = kme.open("alice", "anna", asked=asked)
    assert isinstance(answer, Refused)
    assert answer.code is Code.QUALITY
    assert answer.quality is not None
    for field, value in best.items():
        assert getattr(answer.quality, field) == value
    assert kme.shelf.streams() == []
    taken = kme.open("alice", "anna", asked=answer.quality)
    assert isinstance(taken, Opened), "what is offered is taken"
    assert taken.stream.quality == answer.quality


@settings(max_examples=200)
@given(
    st.builds(
        Quality,
        *(st.integers(0, 2**11) | st.integers(0, LARGEST) for _ in range(7)),
        st.sampled_from(["", "application/json", "text/plain"]),
    ),
    st.integers(0, 100),
)
def test_every_counter_proposal_is_taken(asked: Quality, cells: int) -> None:
    kme = Kme("kme-a")
    if cells:
        keydesk.stock(kme.desk, kme.shelf, "kme-a", "kme-a", 32 * cells)
    answer = kme.open("alice", "anna", asked=asked)
    if isinstance(answer, Refused):
        assert answer.quality is not None
        answer = kme.open("alice", "anna", asked=answer.quality)
    assert isinstance(answer, Opened)
    settled = answer.stream.quality
    assert settled.min_bps <= settled.max_bps
    assert 8 <= settled.chunk <= 1024


def test_the_second_end_joins_what_the_first_has_settled() -> None:
    kme = Kme("kme-a")
    opened = kme.open("alice", "anna", asked=Quality(chunk=64, ttl=100))
    assert isinstance(opened, Opened)
    other = kme.open("anna", "alice", opened.stream.name, Quality(chunk=32))
    assert isinstance(other, Refused)
    assert other.code is Code.QUALITY
    assert other.quality == opened.stream.quality
    joined = kme.open("anna", "alice", opened.stream.name, Quality(chunk=64, timeout=50))
    assert isinstance(joined, Opened)
    assert [end.timeout for end in joined.stream.ends] == [0, 50], "each end has its own"


def test_max_bps_is_kept() -> None:
    kme, name = local(asked=Quality(chunk=32, max_bps=512))
    assert [isinstance(kme.read("alice", name, index), Given) for index in range(3)] == [True, True, False]
    wait = kme.read("alice", name, 2, now=400)
    assert isinstance(wait, Wait)
    assert wait.code is Code.INSUFFICIENT
    bits(kme.read("alice", name, 2, now=500))
    cut = 3 + sum(isinstance(kme.read("alice", name, 3 + n, now=500 + 100 * n), Given) for n in range(50))
    assert cut == 2 + 512 * 5400 // 1000 // 256, "two at once, then 512 bit/s over 5.4 s"


def test_what_a_stream_was_promised_is_not_given_to_lower_ones() -> None:
    kme = Kme("kme-a")
    keydesk.stock(kme.desk, kme.shelf, "kme-a", "kme-a", 64 * HORIZON_SECONDS)
    names = []
    for asked in (Quality(min_bps=480, priority=5), Quality(priority=1)):
        opened = kme.open("alice", "anna", asked=asked)
        assert isinstance(opened, Opened)
        names.append(opened.stream.name)
        kme.open("anna", "alice", opened.stream.name)
    high, low = names
    left = 60 * HORIZON_SECONDS
    taken = 0
    while isinstance(kme.read("alice", low, taken), Given):
        taken += 1
    assert taken == (64 * HORIZON_SECONDS - left) // 32
    bits(kme.read("alice", high, 0))
    kme.close("alice", high)
    kme.close("anna", high)
    bits(kme.read("alice", low, taken))


def test_a_quality_outside_of_32_bits() -> None:
    for wrong in ({"chunk": -1}, {"ttl": LARGEST + 1}, {"mimetype": "x" * 256}):
        with pytest.raises(InputError):
            Quality(**wrong)  # type: ignore[arg-type]


@given(st.uuids(), st.integers(0, LARGEST), st.integers(0, LARGEST))
def test_chunks_have_names_of_their_own(incarnation: UUID, one: int, other: int) -> None:
    names = chunk_id(incarnation, one), chunk_id(incarnation, other)
    assert (names[0] == names[1]) == (one == other)
    assert all(is_chunk(name) and of_stream(name, incarnation) for name in names)
    assert not of_stream(names[0], UUID(int=incarnation.int ^ 1))


def test_a_stream_survives_being_written() -> None:
    ends = (StreamEnd("alice", EndState.CLOSED, 3, 9), StreamEnd("bob"))
    for usage in (None, Usage(0.5, 7)):
        stream = Stream(UUID(int=1), UUID(int=2), Quality(1, 2, 3, 4, 5, 6, 7, "x"), ends, 8, 9, usage, 10)
        assert stream_of(stream.text()) == stream
        assert json.loads(stream.text())["cut"] == 10


# ------------------------------------------------------------------------------------------------------- two KMEs


class Pair:
    """alice at kme-a, which is the home, and bob at kme-b. Errands wait until they are carried."""

    def __init__(self, octets: int = 4096, neighbours: bool = False) -> None:
        near = frozenset({"kme-a", "kme-b"}) if neighbours else frozenset()
        limits, pairs = Limits(smallest=8), {("alice", "bob"): Quota(waiting=30)}
        self.a, self.b = (
            Kme(name, limits=limits, pairs=pairs, neighbours=near) for name in ("kme-a", "kme-b")
        )
        self.near, self.blocks = neighbours, 0
        if octets:
            self.feed(octets)

    def feed(self, octets: int) -> None:
        for kme in (self.a,) if self.near else (self.a, self.b):
            follower = "kme-a" if self.near else "kme-b"
            keydesk.stock(kme.desk, kme.shelf, "kme-a", follower, octets, self.blocks)
        self.blocks += 1

    def carry(self, now: int = 0, most: int = 100) -> None:
        """What the courier does, and no more of it than `most`."""
        a, b = self.a, self.b
        for errand in a.shelf.errands("kme-b", most):
            record = a.shelf.key(errand.key_id)
            assert record is not None
            if errand.void:
                forget(b.desk, b.shelf, "kme-a", Recall(errand.key_id, "alice", ("bob",), errand.slices), now)
                a.shelf.done("kme-b", errand.key_id)
                continue
            content: object = errand.slices
            if self.near:
                sealed = a.shelf.sealed(errand.key_id)
                assert sealed is not None
                content = a.desk.ring.open(errand.key_id, sealed)
            parcel = Consignment(
                errand.key_id, "alice", ("bob",), record.expires - now, content, errand.masked, record.provenance  # type: ignore[arg-type]
            )  # fmt: skip
            assert accept(b.desk, b.shelf, "kme-a", parcel, now) is None
            confirmed(a.desk, a.shelf, "kme-b", [errand.key_id], now)

    def bob_opens(self, name: UUID = NOBODY, asked: Quality = ANY, now: int = 0) -> object:
        here = self.b.open("bob", "alice", name, asked, now)
        if not isinstance(here, Elsewhere):
            return here
        assert here.kme == "kme-a"
        there = open_end(self.a.desk, self.a.shelf, "bob", "alice", name, asked, now, "kme-b")
        if isinstance(there, Opened):
            remember(self.b.desk, self.b.shelf, there.stream, "bob", asked.timeout, now)
        return there

    def bob_reads(self, name: UUID, index: int | None, now: int = 0) -> object:
        begin = 0
        for _ in range(3):
            answer = self.b.read("bob", name, index, now)
            if isinstance(answer, Elsewhere) and answer.index < begin:
                answer = self.b.read("bob", name, index, now, begin)
            if not isinstance(answer, Elsewhere):
                return answer
            there = want(
                self.a.desk, self.a.shelf, "kme-b", "bob", name, answer.incarnation, answer.index, index is not None, now
            )  # fmt: skip
            if not (isinstance(there, Wait) and there.code is Code.SUCCESSFUL):
                return there
            begin = there.index or 0
            self.carry(now)
        return answer

    def bob_closes(self, name: UUID, now: int = 0) -> object:
        here = self.b.close("bob", name, now)
        if isinstance(here, Elsewhere):
            ((home, sae, stream),) = [one for one in untold(self.b.desk, self.b.shelf) if one[2].name == name]
            assert (home, sae) == ("kme-a", "bob")
            for _ in range(2):  # told twice does no harm
                assert (
                    close_end(self.a.desk, self.a.shelf, sae, name, now, stream.incarnation, "kme-b") is None
                )
            finish(self.b.desk, self.b.shelf, stream, sae, now)
            return None
        return here

    def restart(self, now: int) -> None:
        """What a KME does when it comes up: it takes back what was promised, and leaves chunks alone."""
        for kme in (self.a, self.b):
            kme.desk = Desk(kme.desk.policy, keydesk.ring(), kme.desk.new_id)
            left = [one.key_id for one in kme.shelf.promised() if not is_chunk(one.key_id)]
            assert void(kme.desk, kme.shelf, left, kme.name, now) == 0


@pytest.mark.parametrize("neighbours", [False, True])
@pytest.mark.parametrize("bob_first", [False, True])
def test_two_kmes(neighbours: bool, bob_first: bool) -> None:
    pair = Pair(neighbours=neighbours)
    name = UUID(int=6, version=4)
    if bob_first:
        first, second = pair.bob_opens(name), pair.a.open("alice", "bob", name)
    else:
        first, second = pair.a.open("alice", "bob", name), pair.bob_opens(name)
    assert isinstance(first, Opened)
    assert isinstance(second, Opened)
    assert (first.code, second.code) == (Code.PEER_ABSENT, Code.SUCCESSFUL)
    there = bits(pair.bob_reads(name, 4))
    assert bits(pair.a.read("alice", name, 4)) == there
    wait = pair.a.read("alice", name, 2)
    assert isinstance(wait, Wait)
    assert wait.index == 2
    pair.carry()
    here = bits(pair.a.read("alice", name, 2))
    assert bits(pair.b.read("bob", name, 2)) == here, "it is there already: nobody is asked"
    gone = pair.bob_reads(name, 2)
    assert isinstance(gone, Refused)
    assert gone.code is Code.INSUFFICIENT
    left = pair.bob_reads(name, 9)
    bits(left)
    assert pair.bob_closes(name) is None
    assert pair.a.close("alice", name) is None
    pair.carry()
    assert pair.a.shelf.streams() == pair.b.shelf.streams() == []
    assert pair.a.shelf.living("alice") == pair.b.shelf.living("alice") == []


def test_another_kme_speaks_for_its_own_saes_only() -> None:
    pair = Pair()
    opened = pair.a.open("alice", "bob")
    assert isinstance(opened, Opened)
    a, name, which = pair.a, opened.stream.name, opened.stream.incarnation
    for sender, sae in (("kme-c", "bob"), ("kme-b", "alice"), ("kme-b", "carol")):
        answer = open_end(a.desk, a.shelf, sae, "alice" if sae != "alice" else "bob", name, ANY, 0, sender)
        assert isinstance(answer, Refusal), (sender, sae)
        refused = want(a.desk, a.shelf, sender, sae, name, which, 0, True, 0)
        assert isinstance(refused, Refused)
        assert refused.code is Code.NO_CONNECTION
        assert close_end(a.desk, a.shelf, sae, name, 0, which, sender) is None
        stream = find(a.shelf, name)
        assert stream is not None
        assert [end.state for end in stream.ends] == [EndState.OPEN, EndState.ABSENT]
    late = want(a.desk, a.shelf, "kme-b", "bob", name, UUID(int=3), 0, True, 0)
    assert isinstance(late, Refused), "a stream of the same name that is no more"


def test_the_same_home_whatever_the_order_of_the_names() -> None:
    for policy in (keydesk.policy("kme-a"), keydesk.policy("kme-b")):
        assert pair_of(policy, "alice", "bob") == pair_of(policy, "bob", "alice") == ("alice", "bob")
    assert pair_of(keydesk.policy(pairs={("bob", "alice"): Quota()}), "alice", "bob") == ("bob", "alice")


class Reading(RuleBasedStateMachine):
    """Two applications open, read in any order, close; errands are late, supply stops, clocks go on, KMEs restart."""

    names = Bundle("names")

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.had: dict[tuple[UUID, int], dict[str, bytes]] = {}
        self.bits: dict[bytes, tuple[UUID, int]] = {}
        self.closed: set[tuple[UUID, str]] = set()

    @initialize(neighbours=st.booleans())
    def begin(self, neighbours: bool) -> None:
        self.pair = Pair(512, neighbours)

    @rule(target=names, chunk=st.sampled_from([8, 32, 48]), bob_first=st.booleans())
    def opened(self, chunk: int, bob_first: bool) -> object:
        asked = Quality(chunk=chunk)
        first = (
            self.pair.bob_opens(NOBODY, asked, self.now)
            if bob_first
            else self.pair.a.open("alice", "bob", NOBODY, asked, self.now)
        )
        if isinstance(first, Refused):
            return multiple()
        assert isinstance(first, Opened)
        name = first.stream.name
        second = (
            self.pair.a.open("alice", "bob", name, ANY, self.now)
            if bob_first
            else self.pair.bob_opens(name, ANY, self.now)
        )
        assert isinstance(second, Opened)
        return name, second.stream.incarnation

    @rule(name=names, index=st.none() | st.integers(0, 9))
    def alice_reads(self, name: tuple[UUID, UUID], index: int | None) -> None:
        self.got(name, "alice", index, self.pair.a.read("alice", name[0], index, self.now))

    @rule(name=names, index=st.none() | st.integers(0, 9))
    def bob_reads(self, name: tuple[UUID, UUID], index: int | None) -> None:
        self.got(name, "bob", index, self.pair.bob_reads(name[0], index, self.now))

    def got(self, name: tuple[UUID, UUID], sae: str, index: int | None, answer: object) -> None:
        if not isinstance(answer, Given):
            assert isinstance(answer, Refused | Wait), answer
            return
        assert index in (None, answer.index)
        had = self.had.setdefault((name[1], answer.index), {})
        assert sae not in had, "once"
        had[sae] = bits(answer)
        assert len(set(had.values())) == 1, "both ends have the same"
        assert self.bits.setdefault(had[sae], (name[1], answer.index)) == (name[1], answer.index), (
            "no octet twice"
        )

    @rule(octets=st.integers(8, 200))
    def fed(self, octets: int) -> None:
        self.pair.feed(octets)

    @rule(most=st.integers(1, 3))
    def carried(self, most: int) -> None:
        self.pair.carry(self.now, most)

    @rule(step=st.integers(0, 40_000) | st.just(4_000_000))
    def time_goes_on(self, step: int) -> None:
        self.now += step
        for kme in (self.pair.a, self.pair.b):
            sweep(kme.desk, kme.shelf, self.now)

    @rule()
    def restarted(self) -> None:
        self.pair.restart(self.now)

    @rule(name=consumes(names), bob_first=st.booleans())
    def closed_by_both(self, name: tuple[UUID, UUID], bob_first: bool) -> None:
        for sae in ("bob", "alice") if bob_first else ("alice", "bob"):
            if sae == "bob":
                assert self.pair.bob_closes(name[0], self.now) is None
            else:
                assert self.pair.a.close("alice", name[0], self.now) is None
        assert self.pair.a.shelf.stream(name[0]) is None
        assert self.pair.b.shelf.stream(name[0]) is None

    @invariant()
    def the_books_are_unbroken(self) -> None:
        if hasattr(self, "pair"):
            verify(self.pair.a.shelf.entries)
            verify(self.pair.b.shelf.entries)

    def teardown(self) -> None:
        """Once everything is carried, both ends have the same chunks left, or none."""
        if not hasattr(self, "pair"):
            return
        self.pair.carry(self.now)
        for (incarnation, index), had in self.had.items():
            key_id = chunk_id(incarnation, index)
            for sae, kme in (("alice", self.pair.a), ("bob", self.pair.b)):
                record = kme.shelf.key(key_id)
                if (
                    sae not in had
                    and record is not None
                    and sae in record.awaiting
                    and not record.expired(self.now)
                ):
                    sealed = kme.shelf.sealed(key_id)
                    assert sealed is not None
                    assert kme.desk.ring.open(key_id, sealed).octets == next(iter(had.values()))


TestReading = Reading.TestCase
TestReading.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
