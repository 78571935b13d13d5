"""Sessions over the clock and the delays of a fabric: equal keys, books that balance, and what each attack on messages ends in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from quantum_fabric import documents
from quantum_fabric.cli.keying import FabricWires
from quantum_fabric.errors import QuantityError
from quantum_fabric.fabric import Fabric
from quantum_fabric.keys.postprocessing.messages import Kind, Message
from quantum_fabric.messages import KeyAlarm, KeyBlock
from quantum_fabric.physics.qkd.attacks import (
    Attack,
    InterceptResend,
    Jamming,
    ManInTheMiddle,
    NumberSplitting,
    Replay,
)
from quantum_fabric.physics.qkd.fates import PulseLink
from quantum_fabric.physics.qkd.finite_rate import Setting
from quantum_fabric.physics.qkd.ledger import Security
from quantum_fabric.physics.qkd.pair_clicks import MeasuredPairs, sample_pairs
from quantum_fabric.services.qkd.session import Delivery, KeySession, Plan, name_of
from quantum_fabric.services.qkd.sources import (
    Happening,
    MeasuredSource,
    PairSource,
    PulseSource,
    Raw,
    Source,
    stretches,
)
from quantum_fabric.services.qkd.wires import Wiretap
from quantum_fabric.units import MS, SECOND

LINK = PulseLink(channel=0.4, receiver=0.9, dark=1e-6, misalignment=0.01, period=1e-9)
DECOYS = Setting(0.7, (0.5, 0.15, 2e-4), (0.6, 0.28, 0.12))
ONE_DECOY = Setting(0.7, (0.5, 0.15), (0.65, 0.35))
GOOD = (0.97, 0.01, 0.01, 0.01)
BLOCK = 8 * MS


class Seen:
    """Everything a session told or handed over."""

    def __init__(
        self,
        source: Source,
        blocks: int,
        *,
        tap: Wiretap | None = None,
        block: int = BLOCK,
        **changes: object,
    ):
        self.fabric = Fabric(documents.inventory(documents.load_network("lab")), seed=1)
        self.blocks: list[KeyBlock] = []
        self.alarms: list[KeyAlarm] = []
        self.keys: list[Delivery] = []
        self.fabric.watch(lambda t, p, m: self.blocks.append(m), KeyBlock)
        self.fabric.watch(lambda t, p, m: self.alarms.append(m), KeyAlarm)
        settings: dict[str, object] = {"security": Security(1e-9, 1e-12), **changes}
        plan = Plan("ab", "Alice", "Bob", 0, blocks * block, block, block, **settings)  # type: ignore[arg-type]
        self.session = KeySession(
            plan, source, FabricWires(self.fabric), np.random.default_rng(5), hand=self.keys.append,
            tell=self.fabric.tell, tap=tap,
        )  # fmt: skip

    def run(self) -> Seen:
        self.session.begin()
        self.fabric.run(self.session.plan.until + SECOND)
        return self


def pulses(setting: Setting = DECOYS, happenings: Sequence[Happening] = ()) -> PulseSource:
    return PulseSource(LINK, setting, np.random.default_rng(2), happenings=happenings)


def pairs(protocol: str = "bbm92") -> PairSource:
    return PairSource(GOOD, 1e7, np.random.default_rng(2), protocol, 0.6)


SOURCES = {
    "two decoys": pulses,
    "one decoy": lambda: pulses(ONE_DECOY),
    "bbm92": pairs,
    "e91": lambda: pairs("e91"),
    "six_state": lambda: pairs("six_state"),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("engine", ["cascade", "ldpc"])
def test_both_ends_have_the_same_key(source: str, engine: str) -> None:
    seen = Seen(SOURCES[source](), 2, engine=engine).run()
    assert [block.reason for block in seen.blocks] == ["", ""]
    assert seen.alarms == []
    total = seen.session.total
    assert (total.blocks, total.delivered, len(seen.keys)) == (2, 2, 2)
    for delivery, block in zip(seen.keys, seen.blocks, strict=True):
        ours, theirs = delivery.keys
        assert ours == theirs
        assert ours.bits == block.length > 500
        assert 0.0 < block.epsilon == delivery.ledger.total < 1.1e-9
        assert 0.005 < block.error_rate < 0.035
    assert seen.keys[0].keys[0] != seen.keys[1].keys[0]
    assert seen.keys[0].name != seen.keys[1].name
    assert total.ledger.total == pytest.approx(2.002e-9, rel=1e-6)
    assert total.bits == sum(block.length for block in seen.blocks)


def test_the_books_of_authentication_balance_and_the_line_counts_what_was_told() -> None:
    seen = Seen(pulses(), 3).run()
    first, second = seen.session.budgets
    assert first.balance == second.balance == 2048 + 3 * (512 - 384)
    assert first.spent == 3 * 384
    assert [entry.bits for entry in first.entries[:4]] == [2048, -128, -128, -128]
    assert seen.blocks[-1].authentication == first.balance
    # the sender's announcements of the last block, counted on the line message by message
    assert seen.session.line.told_by(0) == seen.blocks[-1].told > 1000
    assert seen.session.line.told[0, Kind.TAG] > 0


def test_the_key_is_shorter_by_what_somebody_may_know() -> None:
    clean = Seen(pulses(), 1).run().blocks[0]
    some = Seen(pulses(happenings=[Happening(0, SECOND, InterceptResend(0.03))]), 1).run()
    assert some.alarms == []
    assert 0 < some.blocks[0].length < 0.8 * clean.length
    assert some.blocks[0].error_rate == pytest.approx(clean.error_rate + 0.0075, abs=0.003)


@pytest.mark.parametrize(
    ("attack", "alarm"), [(InterceptResend(), "error rate"), (NumberSplitting(), "decoy yields"), (Jamming(), "gain"), (None, "gain")]
)  # fmt: skip
def test_an_attack_stops_the_supply_while_it_lasts(attack: Attack | None, alarm: str) -> None:
    seen = Seen(pulses(happenings=[Happening(BLOCK, 2 * BLOCK, attack)]), 3).run()
    assert [block.length > 0 for block in seen.blocks] == [True, False, True]
    assert alarm in {each.alarm for each in seen.alarms}
    assert {each.block for each in seen.alarms} == {1}
    assert seen.blocks[1].reason.startswith("alarm: ")
    assert seen.blocks[1].epsilon == 1.0
    assert len(seen.keys) == 2
    assert seen.session.budgets[0].spent == 2 * 384  # a block under alarm costs no authentication key


def test_an_attack_that_begins_within_a_block_acts_on_its_part_alone() -> None:
    source = pulses(happenings=[Happening(BLOCK // 2, BLOCK, InterceptResend())])
    assert source.block(0, BLOCK).error_rate == pytest.approx(0.135, abs=0.01)
    assert [(length, what is not None) for length, what in stretches(0, BLOCK, source.happenings)] == [
        (BLOCK // 2, False), (BLOCK // 2, True)
    ]  # fmt: skip


def test_a_man_in_the_middle_ends_the_session() -> None:
    for seed in range(6):
        tap = Wiretap(np.random.default_rng(seed), ManInTheMiddle())
        seen = Seen(pulses(), 3, tap=tap).run()
        assert seen.keys == []
        # where the change spoils error correction, the block is lost without an alarm; a later one ends the session
        assert [alarm.alarm for alarm in seen.alarms] == ["authentication"]
        assert seen.session.total.ended.startswith("authentication")
        assert all(block.reason for block in seen.blocks)


def test_one_changed_bit_of_the_seed_is_forged_and_no_key_comes_out() -> None:
    """The last announcement: everything before it is as it should be."""

    class SeedOnly(Wiretap):
        def __call__(self, who: int, written: bytes) -> list[bytes]:
            self.attack = ManInTheMiddle() if written[0] == Kind.SEED else None
            return super().__call__(who, written)

    seen = Seen(pulses(), 1, tap=SeedOnly(np.random.default_rng(1))).run()
    assert seen.keys == []
    assert [alarm.alarm for alarm in seen.alarms] == ["authentication"]
    assert "does not fit" in seen.alarms[0].evidence


def test_replayed_messages_end_the_session() -> None:
    tap = Wiretap(np.random.default_rng(1))
    seen = Seen(pulses(), 3, tap=tap)
    seen.fabric.clock.schedule(BLOCK + BLOCK // 2, 0, lambda _: setattr(tap, "attack", Replay()))
    seen.run()
    assert [block.length > 0 for block in seen.blocks] == [True, False]
    assert [alarm.alarm for alarm in seen.alarms] == ["authentication"]
    assert len(seen.keys) == 1


def test_silence_is_noticed() -> None:
    seen = Seen(pulses(), 2, tap=Wiretap(np.random.default_rng(1), Jamming("classical"))).run()
    assert {alarm.alarm for alarm in seen.alarms} == {"silence"}
    assert seen.keys == []
    late = Seen(pulses(), 2, tap=Wiretap(np.random.default_rng(3), Jamming("classical", 0.002))).run()
    assert {alarm.alarm for alarm in late.alarms} == {"silence"}, "a lost message is no forged one"


def test_a_message_that_is_lost_among_others_costs_a_block_and_not_the_session() -> None:
    class Once(Wiretap):
        done = False

        def __call__(self, who: int, written: bytes) -> list[bytes]:
            if written[0] == Kind.SETTINGS and not Once.done:
                Once.done = True
                return []
            return super().__call__(who, written)

    seen = Seen(pulses(), 2, tap=Once(np.random.default_rng(1))).run()
    assert [alarm.alarm for alarm in seen.alarms] == ["silence"]
    assert seen.alarms[0].evidence == "1 of the messages from Alice did not arrive"
    assert [block.length > 0 for block in seen.blocks] == [False, True]
    assert seen.session.total.ended == ""


@pytest.mark.parametrize(("blocks", "alarms"), [(3, 0), (5, 2)])
def test_who_spoils_error_correction_again_and_again_is_noticed(blocks: int, alarms: int) -> None:
    """Three blocks may be bad luck, four in a row are not: 1e-3 to the power of 4 is below 1e-10, to the power of 3 it is not."""

    class Tags(Wiretap):
        def __call__(self, who: int, written: bytes) -> list[bytes]:
            # the verdict is reached before any seal, so no seal can show it
            return [self._changed(Message.read(written))] if written[0] == Kind.TAG else [written]

    seen = Seen(pulses(), blocks, tap=Tags(np.random.default_rng(1)), bootstrap=8192).run()
    assert [block.reason for block in seen.blocks] == ["verification found a difference"] * blocks
    assert [alarm.alarm for alarm in seen.alarms] == ["verification"] * alarms
    assert all(alarm.chance < 1e-10 for alarm in seen.alarms)
    assert seen.keys == []


@pytest.mark.parametrize("engine", ["cascade", "ldpc"])
def test_a_wrong_word_out_of_error_correction_gives_no_key(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decoder of the second block is content with a string that is not the sender's: only the hash can know."""
    from quantum_fabric.keys.postprocessing import session
    from quantum_fabric.keys.postprocessing.secret import SecretBits

    end = {"cascade": session.CascadeEnd, "ldpc": session.LdpcReceiver}[engine]
    real, words = end.result, []

    def result(self: object) -> SecretBits:
        bits = real(self).array()  # type: ignore[arg-type]
        words.append(bits.copy())
        # Cascade has a result at both ends; the last of a block is the receiver's or the sender's, and one wrong bit is enough
        if len(words) == (3 if engine == "cascade" else 2):
            bits[bits.size // 3] ^= 1
        return SecretBits.of(bits)

    monkeypatch.setattr(end, "result", result)
    seen = Seen(pulses(), 3, engine=engine, bootstrap=8192).run()
    each = [words[i : i + 2] for i in range(0, len(words), 2)] if engine == "cascade" else []
    assert all((one == other).all() for one, other in each), "but for the wrong bit, the words were right"
    assert len(words) == (6 if engine == "cascade" else 3)
    assert [block.reason for block in seen.blocks] == ["", "verification found a difference", ""]
    assert [block.length > 0 for block in seen.blocks] == [True, False, True]
    assert seen.blocks[1].epsilon == 1.0
    assert [key.number for key in seen.keys] == [0, 2]
    assert all(key.keys[0] == key.keys[1] for key in seen.keys)
    total = seen.session.total
    assert (total.delivered, total.ended) == (2, "")
    assert total.bits == sum(block.length for block in seen.blocks)
    ours, theirs = seen.session.budgets
    assert ours.balance == theirs.balance == seen.blocks[2].authentication
    # the hash key of the lost block is spent, its seals are not, and nothing came back from it
    assert seen.blocks[1].authentication == seen.blocks[0].authentication - 128


def test_authentication_key_runs_out_and_the_session_says_so() -> None:
    seen = Seen(pulses(), 3, bootstrap=400, replenish=0).run()
    assert [block.length > 0 for block in seen.blocks] == [True, False]
    assert seen.session.total.ended.startswith("authentication key")
    assert seen.alarms[-1].alarm == "authentication key"


def test_blocks_that_give_no_key_say_why() -> None:
    short = Seen(pulses(), 1, block=MS // 10).run()
    assert short.blocks[0].reason == "no key even with free error correction"
    few = Seen(PairSource(GOOD, 1e4, np.random.default_rng(1)), 1).run()
    assert "sifted bits, 1000 wanted" in few.blocks[0].reason
    assert few.alarms == []


def test_pairs_that_do_not_come_raise_an_alarm() -> None:
    source = PairSource(GOOD, 1e6, np.random.default_rng(1), happenings=[Happening(0, SECOND)])
    assert [alarm.name for alarm in source.block(0, BLOCK).alarms] == ["gain"]


def test_measured_pairs_are_worked_on_as_they_come() -> None:
    source = MeasuredSource((0.96, 0.02, 0.01, 0.01), np.random.default_rng(1))
    seen = Seen(source, 1)
    source.pairs = sample_pairs(GOOD, 40_000, np.random.default_rng(3), key_basis=0.6)
    raw = source.block(0, SECOND)
    assert isinstance(raw, Raw)
    seen.session.take(raw, 0, SECOND)
    seen.fabric.run(10 * SECOND)
    assert seen.session.idle
    assert seen.keys[0].keys[0] == seen.keys[0].keys[1]
    source.attack = InterceptResend()
    assert {alarm.name for alarm in source.block(0, SECOND).alarms} == {"error rate"}
    assert source.block(0, SECOND).error_rate == pytest.approx(0.26, abs=0.03)
    assert MeasuredPairs.none().error_rates()["Z"] == (0, 0)


def test_the_same_seed_gives_the_same_session() -> None:
    one, same = (Seen(pulses(), 2).run() for _ in range(2))
    assert one.blocks == same.blocks
    assert one.keys[1].keys[0] == same.keys[1].keys[1]


def test_nothing_begins_after_a_stop_and_no_key_is_shown() -> None:
    seen = Seen(pulses(), 3)
    seen.session.begin()
    seen.fabric.run(BLOCK + BLOCK // 2)
    seen.session.stop()
    seen.fabric.run(10 * BLOCK)
    assert len(seen.blocks) == 1
    secret = bytes(seen.keys[0].keys[0].octets).hex()
    told = f"{seen.keys} {seen.blocks} {seen.session.budgets} {seen.session.total}"
    assert secret[:16] not in told
    assert "secret bits" in told


def test_plans_are_checked_and_blocks_named_alike() -> None:
    good = Plan("ab", "A", "B", 0, 10, 5, 5, Security(1e-9, 1e-12))
    assert name_of(good, 3) == name_of(Plan("ab", "A", "B", 0, 99, 5, 9, Security(1e-9, 1e-12)), 3)
    for bad in ({"until": 0}, {"block": 6}):
        fields = {"start": 0, "until": 10, "block": 5, "every": 5, **bad}
        with pytest.raises(QuantityError):
            Plan("ab", "A", "B", **fields, security=Security(1e-9, 1e-12))
