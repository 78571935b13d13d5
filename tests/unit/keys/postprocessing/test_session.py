"""A block from detections to key, both engines, over a line that counts and may be in an enemy's hand."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.errors import ProtocolError, QuantityError
from quantum_fabric.keys.postprocessing.authentication import Budget, ForgeryError, KeyShortageError
from quantum_fabric.keys.postprocessing.estimation import decoy_formula, pair_formula
from quantum_fabric.keys.postprocessing.exchange import run
from quantum_fabric.keys.postprocessing.line import Line
from quantum_fabric.keys.postprocessing.messages import Kind, Message
from quantum_fabric.keys.postprocessing.secret import SecretBits
from quantum_fabric.keys.postprocessing.session import Receiver, Sender
from quantum_fabric.keys.postprocessing.sifting import Record
from quantum_fabric.keys.postprocessing.terms import Outcome, Terms
from quantum_fabric.physics.qkd.entanglement import pair_block_key
from quantum_fabric.physics.qkd.ledger import Security

SECURITY = Security(1e-9, 1e-12)
TAG = 41  # ceil(log2(2e12))


def block(size: int, rate: float, seed: int = 1, key_share: float = 0.8) -> tuple[Record, Record]:
    rng = np.random.default_rng(seed)
    bases_a, bases_b = ((rng.random(size) > key_share).astype(np.uint8) for _ in range(2))
    bits = rng.integers(0, 2, size, dtype=np.uint8)
    seen = np.where(bases_a == bases_b, bits ^ (rng.random(size) < rate), rng.integers(0, 2, size))
    return Record(bases_a, bits), Record(bases_b, seen)


def ends(records: tuple[Record, Record], shared: int = 2048, **changes: object) -> tuple[Sender, Receiver]:
    terms = Terms(b"test", pair_formula(SECURITY), SECURITY.correctness, **changes)  # type: ignore[arg-type]
    rng = np.random.default_rng(8)
    key = SecretBits(rng.bytes(shared // 8), shared)
    return Sender(records[0], terms, Budget(key), rng.bytes), Receiver(
        records[1], terms, Budget(key), rng.bytes
    )


def exchange(rate: float = 0.02, size: int = 40_000, **changes: object) -> tuple[Outcome, Outcome, Line]:
    line = Line(delay=1_000_000)
    ours, theirs, _ = run(*ends(block(size, rate), **changes), line)
    return ours, theirs, line


@pytest.mark.parametrize("engine", ["cascade", "ldpc"])
@pytest.mark.parametrize("rate", [0.0, 0.01, 0.03])
def test_same_key_of_the_length_that_the_formula_allows(engine: str, rate: float) -> None:
    a, b = block(40_000, rate)
    line = Line()
    ours, theirs, _ = run(*ends((a, b), engine=engine), line)
    assert ours.key == theirs.key
    assert ours.reason == theirs.reason == ""
    both = (a.bases == 0) & (b.bases == 0)
    test = (a.bases == 1) & (b.bases == 1)
    n, k = int(both.sum()), int(test.sum())
    error = float((a.bits[test] != b.bits[test]).mean())
    told = line.told_by(0)
    expected = pair_block_key(n, k, error, told - np.log2(2 / SECURITY.correctness), SECURITY)
    assert len(ours.key) + ours.renewed == int(expected.length)
    assert ours.sifted == n
    assert theirs.corrected == (a.bits[both] != b.bits[both]).sum()


@pytest.mark.parametrize("engine", ["cascade", "ldpc"])
def test_line_and_protocol_count_the_same_bits(engine: str) -> None:
    ours, theirs, line = exchange(engine=engine)
    assert line.told_by(0) == ours.told == theirs.told
    assert line.told[0, Kind.TAG] == TAG
    if engine == "cascade":
        assert line.told[0, Kind.PARITIES] == line.told[1, Kind.PARITIES] == ours.told - TAG
        assert line.messages[0] == ours.rounds + 7  # settings, test bits, start, hash, tag, seed, seal
    else:
        assert line.told_by(1) == 0
        assert line.told[0, Kind.SYNDROME] == ours.told - TAG


def test_ledger_of_the_outcome() -> None:
    ours, theirs, _ = exchange()
    assert ours.ledger == theirs.ledger
    assert ours.ledger.secrecy == pytest.approx(SECURITY.secrecy)
    assert ours.ledger.correctness == SECURITY.correctness
    assert 0.0 < ours.ledger.authentication < 1e-24


def test_budgets_stay_equal_and_grow() -> None:
    sender, receiver = ends(block(40_000, 0.01), replenish=700)
    run(sender, receiver, Line())
    one, two = sender._budget, receiver._budget
    assert one.entries == two.entries
    assert one.balance == 2048 - 3 * 128 + 700
    assert one.take(one.balance, "all") == two.take(two.balance, "all")


def test_each_round_of_cascade_takes_one_delay() -> None:
    line = Line(delay=7)
    ours, _, duration = run(*ends(block(40_000, 0.02)), line)
    # bases, settings, test bits, start (with which the first round goes), hash, verdict, seed, seal
    assert duration == 7 * (ours.rounds + 8) or duration == 7 * (ours.rounds + 9)


def test_ldpc_takes_few_messages() -> None:
    ours, _, line = exchange(engine="ldpc")
    assert ours.rounds < 20
    assert line.messages[0] < 30


def test_decoy_block() -> None:
    rng = np.random.default_rng(5)
    size = 1_500_000
    a, b = block(size, 0.01, key_share=0.6)
    mu, p = (0.5, 0.15, 2e-4), (0.5, 0.35, 0.15)
    clicks = np.array([1 - np.exp(-0.1 * m) + 1e-5 for m in mu]) * p
    which = rng.choice(3, size, p=clicks / clicks.sum())
    noisy = np.where(which == 2, rng.integers(0, 2, size), b.bits)
    formula = decoy_formula(mu, p, SECURITY)
    terms = Terms(b"d", formula, SECURITY.correctness, intensities=3)
    shared = SecretBits(bytes(100), 800)
    records = Record(a.bases, a.bits, which), Record(b.bases, noisy)
    ours, theirs, _ = run(
        Sender(records[0], terms, Budget(shared), rng.bytes),
        Receiver(records[1], terms, Budget(shared), rng.bytes),
        Line(),
    )
    assert ours.key == theirs.key
    assert len(ours.key) > 1000


@given(
    rate=st.floats(0.0, 0.06), guess=st.floats(1e-3, 0.2), burst=st.integers(0, 300), seed=st.integers(0, 99)
)
@settings(max_examples=12, deadline=None)
def test_bursts_and_wrong_guesses_give_one_key_or_none(
    rate: float, guess: float, burst: int, seed: int
) -> None:
    a, b = block(12_000, rate, seed)
    bits = b.bits.copy()
    bits[3000 : 3000 + burst] ^= 1
    ours, theirs, _ = run(*ends((a, Record(b.bases, bits)), error_rate=guess), Line())
    assert ours.key == theirs.key
    assert ours.reason == theirs.reason


@pytest.mark.parametrize(("rate", "size", "why"), [(0.3, 20_000, "no key"), (0.01, 1_000, "sifted")])
def test_no_key_is_a_value(rate: float, size: int, why: str) -> None:
    ours, theirs, line = exchange(rate, size)
    assert why in ours.reason
    assert ours.reason == theirs.reason
    assert len(ours.key) == len(theirs.key) == 0
    assert line.told_by(0) == 0


@pytest.mark.parametrize("engine", ["cascade", "ldpc"])
def test_no_announced_randomness_serves_twice(engine: str) -> None:
    """Seeds of the permutations, of the verification hash and of the Toeplitz matrix: all drawn anew for each block, none for two."""
    told: list[bytes] = []

    def listener(who: int, written: bytes) -> list[bytes]:
        heard = Message.read(written)
        if heard.kind in (Kind.START, Kind.HASH, Kind.SEED):
            told.append(heard.data)
        return [written]

    drawn: list[bytes] = []

    def random(octets: int) -> bytes:
        drawn.append(rng.bytes(octets))
        return drawn[-1]

    rng = np.random.default_rng(11)
    records, key = block(20_000, 0.01), SecretBits(rng.bytes(256), 2048)
    terms = Terms(b"test", pair_formula(SECURITY), SECURITY.correctness, engine=engine)
    keys = []
    for _ in range(2):  # the same detections twice: only what is announced differs
        a, b = (
            Sender(records[0], terms, Budget(key), random),
            Receiver(records[1], terms, Budget(key), random),
        )
        ours, theirs, _ = run(a, b, Line(enemy=listener))
        assert ours.key == theirs.key
        keys.append(ours.key)
    assert len(told) == len(drawn) == 6
    assert len({one[:8] for one in told}) == 6
    # bits beyond the length of a Toeplitz seed are cleared before it is said
    assert all(one[:-1] == other[:-1] for one, other in zip(told, drawn, strict=True))
    assert keys[0] != keys[1]


def test_verification_finds_what_correction_left(monkeypatch: pytest.MonkeyPatch) -> None:
    from quantum_fabric.keys.postprocessing import session

    real = session.CascadeEnd.result

    def one_bit_off(self: session.CascadeEnd) -> SecretBits:
        bits = real(self).array()
        bits[17] ^= self._machine is not None and self.corrections >= 0 and self._flip  # type: ignore[attr-defined]
        return SecretBits.of(bits)

    made: list[object] = []
    init = session.CascadeEnd.__init__

    def marked(self: session.CascadeEnd, *args: object, **kwargs: object) -> None:
        init(self, *args, **kwargs)  # type: ignore[arg-type]
        made.append(self)
        self._flip = len(made) == 1  # type: ignore[attr-defined]

    monkeypatch.setattr(session.CascadeEnd, "__init__", marked)
    monkeypatch.setattr(session.CascadeEnd, "result", one_bit_off)
    ours, theirs, _ = exchange()
    assert ours.reason == theirs.reason == "verification found a difference"
    assert len(ours.key) == len(theirs.key) == 0


def flip(kind: Kind) -> Callable[[int, bytes], list[bytes]]:
    """An enemy who turns one bit in the data of the first message of a kind."""
    done = []

    def enemy(who: int, written: bytes) -> list[bytes]:
        heard = Message.read(written)
        if heard.kind is not kind or done or not heard.data:
            return [written]
        done.append(1)
        return [Message(kind, heard.bits, bytes([heard.data[0] ^ 1]) + heard.data[1:]).written()]

    return enemy


@pytest.mark.parametrize("kind", [k for k in Kind if k not in (Kind.SYNDROME, Kind.NEED)])
def test_no_changed_message_leads_to_a_key(kind: Kind) -> None:
    sender, receiver = ends(block(20_000, 0.02))
    with contextlib.suppress(ProtocolError, ForgeryError, QuantityError):
        run(sender, receiver, Line(enemy=flip(kind)))
    for end in (sender, receiver):
        assert end.outcome is None or not len(end.outcome.key)


@pytest.mark.parametrize("trick", ["drop", "twice", "back", "late"])
@pytest.mark.parametrize("number", [0, 1, 5, 40])
def test_lost_repeated_reflected_and_delayed_messages(trick: str, number: int) -> None:
    seen: list[bytes] = []

    def enemy(who: int, written: bytes) -> list[bytes]:
        seen.append(written)
        if len(seen) - 1 == number:
            return {"drop": [], "twice": [written] * 2, "back": [seen[0]], "late": []}[trick]
        if len(seen) - 1 == number + 1 and trick == "late":
            return [written, seen[number]]
        return [written]

    sender, receiver = ends(block(20_000, 0.02))
    if trick == "back" and number == 0:
        return  # the first message in place of the first changes nothing
    with pytest.raises(ProtocolError):
        run(sender, receiver, Line(enemy=enemy))
    assert sender.outcome is None or not len(sender.outcome.key)


def test_other_authentication_keys_give_no_key() -> None:
    records = block(20_000, 0.02)
    sender, _ = ends(records)
    terms = Terms(b"test", pair_formula(SECURITY), SECURITY.correctness)
    receiver = Receiver(
        records[1], terms, Budget(SecretBits(bytes(256), 2048)), np.random.default_rng(1).bytes
    )
    with pytest.raises(ForgeryError):
        run(sender, receiver, Line())
    assert sender.outcome is None
    assert receiver.outcome is None


def test_short_budget_stops_before_a_key() -> None:
    sender, receiver = ends(block(20_000, 0.02), shared=256)
    with pytest.raises(KeyShortageError):
        run(sender, receiver, Line())
    assert sender.outcome is None


def test_outcome_does_not_print_the_key() -> None:
    ours, _, _ = exchange()
    assert "secret bits>" in repr(ours)
    assert ours.key.reveal()[:4].hex() not in repr(ours)


def test_numpy_gives_the_same_key() -> None:
    records = block(20_000, 0.02)
    keys = [run(*ends(records, compiled=compiled), Line())[0].key for compiled in (True, False)]
    assert keys[0] == keys[1]
    assert len(keys[0]) > 0


@pytest.mark.parametrize("written", [b"", b"\x01" * 17, b"\x63" + bytes(16), b"\x01\x09" + bytes(15)])
def test_garbage_is_refused(written: bytes) -> None:
    sender, _ = ends(block(5_000, 0.02))
    sender.start()
    with pytest.raises(ProtocolError):
        sender.handle(written)


@pytest.mark.parametrize("wrong", [{"engine": "magic"}, {"intensities": 5}, {"least": 10}, {"replenish": -1}])
def test_terms_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(QuantityError):
        Terms(b"", pair_formula(SECURITY), 1e-12, **wrong)  # type: ignore[arg-type]
    with pytest.raises(QuantityError):
        Line(delay=-1)
