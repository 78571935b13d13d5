"""The link layer's service as draft-dahlberg-ll-quantum-03 and QLink-Interface define it, on the wire and on the twin.

The bits are checked against figures 1 to 5 of the draft, written down here once more as text and read by a parser of this file.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import chain, link, node, nothing_left
from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Bell,
    Consume,
    Delivered,
    LinkChanged,
    LinkRequest,
    Measure,
    Measured,
    PairId,
    Truth,
)
from quantum_fabric.standards import bell, egp, egp_bits, egp_shapes
from quantum_fabric.standards.egp import (
    Ack,
    Basis,
    CreateKeep,
    CreateMeasure,
    CreatePrepare,
    Err,
    ErrorCode,
    Measurement,
    OkKeep,
    OkMeasure,
    OkPrepare,
    RandomBasis,
    Receive,
    StopReceive,
    TimeUnit,
)
from quantum_fabric.standards.egp_network import EgpNetwork
from quantum_fabric.standards.egp_service import Carried, EgpService
from quantum_fabric.units import MS, SECOND, US, Time

FIGURE_1 = """
|                        Remote Node ID                         |
|       Minimum Fidelity        |TU |      Max Time             |
|           Purpose ID          |           Number              |
|Prio |T|A|C|RL |RR | reserved  |      PL1      |      PL2      |
|      PR1      |      PR2      |     X1L       |     YL        |
|     X2L       |    X1R        |     YR        |     X2R       |
"""
FIGURE_2 = "| Type  |          Create ID            |         Unused        |"
FIGURE_3 = """
| Type  |          Create ID            | LQID  |D|   Unused    |
|        Sequence Number        |          Purpose ID           |
|                        Remote Node ID                         |
|           Goodness            |      Time of Goodness         |
"""
FIGURE_4 = """
| Type  |          Create ID            |M|D|Basis|   Unused    |
|        Sequence Number        |          Purpose ID           |
|                        Remote Node ID                         |
|           Goodness            |            Unused             |
"""
FIGURE_5 = """
| Type  |          Create ID            |  ERR  |S|   Unused    |
|    Sequence number low        |    Sequence number high       |
|                         Origin Node                           |
"""


def by_figure(figure: str, data: bytes) -> dict[str, int]:
    """Fields of a message, read off a drawing: two columns of text for each bit."""
    bits = "".join(f"{octet:08b}" for octet in data)
    found: dict[str, int] = {}
    for row in figure.strip().splitlines():
        assert len(row) == 65
        for cell in row.strip("|").split("|"):
            width = (len(cell) + 1) // 2
            name = cell.strip()
            if name.lower() not in ("unused", "reserved"):
                found[name] = int(bits[:width], 2)
            else:
                assert int(bits[:width], 2) == 0
            bits = bits[width:]
    assert bits == ""
    return found


u16 = st.integers(0, 2**16 - 1)
u32 = st.integers(0, 2**32 - 1)
octet = st.integers(0, 255)
fraction = st.integers(0, 2**16 - 1).map(lambda n: n / (2**16 - 1))
common = {
    "remote_node_id": u32, "minimum_fidelity": fraction, "time_unit": st.sampled_from(TimeUnit), "max_time": st.integers(0, 2**14 - 1),
    "purpose_id": u16, "number": st.integers(1, 2**16 - 1), "priority": st.integers(0, 7), "atomic": st.booleans(),
    "consecutive": st.booleans(),
}  # fmt: skip
measurement = st.builds(
    Measurement, st.sampled_from(RandomBasis), st.tuples(octet, octet, octet), st.tuples(st.integers(0, 127), st.integers(0, 128))
)  # fmt: skip
keeps = st.builds(CreateKeep, **common)
measures = st.builds(CreateMeasure, **common, local=measurement, remote=measurement)
prepares = st.builds(CreatePrepare, **common, local=measurement)
pair: dict[str, Any] = {
    "create_id": u16, "from_remote": st.booleans(), "sequence_number": u16, "purpose_id": u16, "remote_node_id": u32,
    "goodness": fraction, "bell": st.sampled_from(Bell),
}  # fmt: skip
kept = st.builds(
    OkKeep, **pair, logical_qubit_id=st.integers(0, 15), time_of_goodness=st.integers(0, 2**16 - 1).map(lambda n: n * US)
)  # fmt: skip
measured = st.builds(OkMeasure, **pair, outcome=st.integers(0, 1), basis=st.sampled_from(Basis))
prepared = st.builds(OkPrepare, **pair, outcome=st.integers(0, 1), basis=st.sampled_from(Basis))
ranges = st.tuples(u16, u16).filter(lambda both: both[0] != both[1])
errors = st.builds(Err, u16, st.sampled_from(ErrorCode), u32) | st.builds(
    Err, u16, st.just(ErrorCode.EXPIRE), u32, ranges
)
everything = keeps | measures | prepares | kept | measured | prepared | errors | st.builds(Ack, u16)
everything |= st.builds(Receive, u32, u16) | st.builds(StopReceive, u32, u16)


@given(keeps | measures)
def test_create_is_figure_1(message: CreateKeep | CreateMeasure) -> None:
    data = egp_bits.create_bits(message)
    assert len(data) == 24
    seen = by_figure(FIGURE_1, data)
    assert seen["Remote Node ID"] == message.remote_node_id
    assert seen["Minimum Fidelity"] == round(message.minimum_fidelity * 65535)
    assert (seen["TU"], seen["Max Time"]) == (message.time_unit.value, message.max_time)
    assert (seen["Purpose ID"], seen["Number"], seen["Prio"]) == (
        message.purpose_id,
        message.number,
        message.priority,
    )
    assert (seen["T"], seen["A"], seen["C"]) == (
        isinstance(message, CreateMeasure),
        message.atomic,
        message.consecutive,
    )
    if isinstance(message, CreateMeasure):
        for side, how in (("L", message.local), ("R", message.remote)):
            assert seen["R" + side] == how.random.value
            assert (seen["P" + side + "1"], seen["P" + side + "2"]) == how.weights
            assert (seen["X1" + side], seen["Y" + side], seen["X2" + side]) == how.rotations
    assert egp_bits.create_of(data) == message


@given(kept | measured | errors | st.builds(Ack, u16))
def test_answers_are_figures_2_to_5(message: egp.Answer) -> None:
    agreed = message.bell if isinstance(message, egp.Ok) else Bell.PHI_PLUS
    if isinstance(message, Err) and message.code in (ErrorCode.NOTIME, ErrorCode.NORES):
        with pytest.raises(InputError, match="all that the draft has"):
            egp_bits.answer_bits(message, agreed)
        return
    data = egp_bits.answer_bits(message, agreed)
    assert egp_bits.answer_of(data, agreed) == message
    if isinstance(message, Ack):
        assert by_figure(FIGURE_2, data) == {"Type": 1, "Create ID": message.create_id}
    elif isinstance(message, Err):
        low, high = message.sequence or (0, 0)
        draft = {"UNSUPP": 1, "CREATE": 2, "REJECTED": 3, "OTHER": 4, "EXPIRE": 5, "TIMEOUT": 6}
        assert by_figure(FIGURE_5, data) == {
            "Type": 4, "Create ID": message.create_id, "ERR": draft[message.code.name], "S": message.sequence is not None,
            "Sequence number low": low, "Sequence number high": high, "Origin Node": message.origin_node_id,
        }  # fmt: skip
    else:
        assert isinstance(message, OkKeep | OkMeasure)
        seen = by_figure(FIGURE_3 if isinstance(message, OkKeep) else FIGURE_4, data)
        assert seen["Type"] == (2 if isinstance(message, OkKeep) else 3)
        assert (seen["D"], seen["Sequence Number"]) == (message.from_remote, message.sequence_number)
        assert seen["Goodness"] == round(message.goodness * 65535)
        if isinstance(message, OkKeep):
            assert (seen["LQID"], seen["Time of Goodness"]) == (
                message.logical_qubit_id,
                message.time_of_goodness // US,
            )
        else:
            assert (seen["M"], seen["Basis"]) == (message.outcome, message.basis.value)


@given(st.floats(0.0, 1.0))
def test_fidelities_are_rounded_to_the_safe_side(fidelity: float) -> None:
    asked = egp_bits.create_of(egp_bits.create_bits(CreateKeep(1, fidelity)))
    assert -1e-13 <= asked.minimum_fidelity - fidelity <= 1 / 65535
    ok = OkKeep(0, False, 0, 0, 1, fidelity, Bell.PSI_PLUS)
    told = egp_bits.answer_of(egp_bits.answer_bits(ok, Bell.PSI_PLUS), Bell.PSI_PLUS)
    assert isinstance(told, OkKeep)
    assert -1e-13 <= fidelity - told.goodness <= 1 / 65535


@given(everything)
def test_dicts_read_back(message: egp.Asked | egp.Answer) -> None:
    shape = egp_shapes.plain(message)
    assert egp_shapes.message_of(shape) == message
    assert not any(isinstance(value, Bell | ErrorCode | TimeUnit) for value in shape.values()), (
        "names, not enums"
    )


@given(st.binary(max_size=40))
def test_octets_from_anybody_are_a_message_or_a_typed_error(data: bytes) -> None:
    for read in (egp_bits.create_of, lambda octets: egp_bits.answer_of(octets, Bell.PHI_PLUS)):
        try:
            message = read(data)
        except InputError as error:
            complaint = error
        else:
            assert not isinstance(message, Ack) or len(data) == 4
            again = (
                egp_bits.create_bits(message)
                if isinstance(message, egp.Create)
                else egp_bits.answer_bits(message, Bell.PHI_PLUS)
            )
            assert again == data, "what was read says the same"
            continue
        assert complaint.where
        assert complaint.found
        assert complaint.expected


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"number": 0}, "CREATE.number"), ({"number": 1.0}, "CREATE.number"), ({"number": True}, "CREATE.number"),
        ({"priority": 8}, "CREATE.priority"), ({"minimum_fidelity": float("nan")}, "CREATE.minimum_fidelity"),
        ({"minimum_fidelity": "0.9"}, "CREATE.minimum_fidelity"), ({"time_unit": 1}, "CREATE_M.time_unit"),
        ({"time_unit": "HOUR"}, "CREATE_M.time_unit"), ({"atomic": 1}, "CREATE_M.atomic"), ({"colour": 1}, "CREATE_M"),
        ({"local": None}, "CREATE_M.local"), ({"local": {"random": "XZ"}}, "CREATE_M.local"),
        ({"remote": {"random": "XZ", "rotations": [0, 0], "weights": [0, 0]}}, "CREATE_M.remote.rotations"),
        ({"remote": {"random": "XZ", "rotations": [0, 0, 256], "weights": [0, 0]}}, "measurement.rotations"),
        ({"remote": {"random": "XZ", "rotations": [0] * 10_000, "weights": [0, 0]}}, "CREATE_M.remote.rotations"),
        ({"type": "CREATE_Q"}, "message"), ({"type": ["CREATE_M"]}, "message"), ({"remote_node_id": 2**32}, "CREATE.remote_node_id"),
    ],
)  # fmt: skip
def test_hostile_dicts_name_the_field(change: dict[str, Any], where: str) -> None:
    shape = egp_shapes.plain(CreateMeasure(1, 0.9))
    with pytest.raises(InputError) as caught:
        egp_shapes.message_of(shape | change)
    assert caught.value.where == where
    assert len(str(caught.value)) < 400, "an error never repeats a flood"


@pytest.mark.parametrize("shape", [None, [], "CREATE_K", {}, {"type": "CREATE_K"}, 7])
def test_what_is_no_message_at_all(shape: object) -> None:
    with pytest.raises(InputError):
        egp_shapes.message_of(shape)


def test_what_the_bits_cannot_say_is_refused() -> None:
    with pytest.raises(InputError, match="CREATE_R"):
        egp_bits.create_bits(CreatePrepare(1, 0.9))
    ok = OkKeep(0, False, 0, 0, 1, 0.9, Bell.PSI_MINUS, 16)
    with pytest.raises(InputError, match="PSI_MINUS"):
        egp_bits.answer_bits(ok, Bell.PHI_PLUS)
    with pytest.raises(InputError, match="at most 15"):
        egp_bits.answer_bits(ok, Bell.PSI_MINUS)


def test_the_two_numberings_differ() -> None:
    """As read in qlink_interface 1.0.0 (interface.py) and netqasm 2.3.0 (qlink_compat.py)."""
    names = ["PHI_PLUS", "PHI_MINUS", "PSI_PLUS", "PSI_MINUS"]
    assert [bell.bell_of(n, "qlink").name for n in range(4)] == names
    assert [bell.bell_of(n, "netqasm").name for n in range(4)] == [
        "PHI_PLUS",
        "PSI_PLUS",
        "PSI_MINUS",
        "PHI_MINUS",
    ]
    for numbering in bell.NUMBERINGS:
        assert [bell.number_of(bell.bell_of(n, numbering), numbering) for n in range(4)] == [0, 1, 2, 3]
    for wrong in (-1, 4, 1.0, True, "0"):
        with pytest.raises(InputError):
            bell.bell_of(wrong, "qlink")
    with pytest.raises(InputError, match="numbering"):
        bell.bell_of(0, "netsquid")


@pytest.mark.skipif(importlib.util.find_spec("netqasm") is None, reason="netqasm is not installed here")
def test_netqasm_itself_agrees() -> None:
    from netqasm.qlink_compat import BellState

    assert {state.name: state.value for state in BellState} == {
        state.name: bell.number_of(state, "netqasm") for state in Bell
    }


# -------------------------------------------------------------------------------------------- on the twin


def two(success: float = 0.2, fidelity: float = 0.95, hop_delay: int = 10 * US, **more: Any) -> Fabric:
    return Fabric(
        chain(2, link(success, fidelity=fidelity, period=100 * US), node(**more), hop_delay), seed=3
    )


def layer(fabric: Fabric, *names: str, carried: Carried = Carried()) -> EgpNetwork:  # noqa: B008 - frozen
    numbers = {name: number for number, name in enumerate(names or fabric.agents, start=1)}
    found = EgpNetwork(fabric, numbers, carried)
    for name in found.services:
        for number in range(1, len(found.services) + 1):
            found.receive(name, Receive(number, 7))
    return found


def test_both_ends_hear_of_the_same_pairs() -> None:
    fabric = two(slots=4)
    above = layer(fabric)
    assert above.create("A", CreateKeep(2, 0.9, purpose_id=7, number=2)) == Ack(0)
    assert above.create("B", CreateKeep(1, 0.8, purpose_id=7, number=2)) == Ack(0), "its own numbers"
    ends: dict[str, list[OkKeep]] = {"A": [], "B": []}
    for step in range(1, 20):  # what is delivered is used, so that the second request gets the slots
        above.run(step * 10 * MS)
        for name in "AB":
            for ok in above.take(name):
                assert isinstance(ok, OkKeep)
                ends[name].append(ok)
                assert fabric.twin.nodes[name].slots[ok.logical_qubit_id].half is not None, (
                    "the qubit of the OK"
                )
                fabric.perform(Consume(name, ok.logical_qubit_id, ok.bell))
                above.used(name, ok.remote_node_id, ok.sequence_number)
    assert not fabric.controller.ledger.leases(), "all slots are given back"
    assert [ok.sequence_number for ok in ends["A"]] == [ok.sequence_number for ok in ends["B"]]
    assert sorted(ok.sequence_number for ok in ends["A"]) == [0, 1, 2, 3]
    told = [
        message
        for name in ("egp/A/0/7", "egp/B/0/7")
        for message in fabric.replies(name)
        if isinstance(message, Delivered)
    ]
    by_time = {message.delivered_at: message for message in told}
    for here, there in zip(ends["A"], ends["B"], strict=True):
        assert here.from_remote is not there.from_remote
        assert (here.create_id, here.purpose_id, here.goodness, here.bell) == (
            there.create_id,
            there.purpose_id,
            there.goodness,
            there.bell,
        )
        assert (here.remote_node_id, there.remote_node_id) == (2, 1)
        message = by_time[here.time_of_goodness]
        assert here.goodness == message.fidelity >= 0.8
        assert message.slots == tuple((here, there)[name == "B"].logical_qubit_id for name in message.ends)
    assert sum(ok.from_remote for ok in ends["A"]) == 2


def test_three_nodes_and_a_repeater_between() -> None:
    fabric = Fabric(chain(3, link(0.5, fidelity=0.99, period=100 * US), node(slots=4), 10 * US), seed=5)
    above = layer(fabric, "A", "C")
    assert above.create("A", CreateKeep(2, 0.9, TimeUnit.SECOND, 1, purpose_id=7, number=2)) == Ack(0)
    above.run(SECOND // 2)
    oks, others = above.take("A"), above.take("C")
    assert [type(ok) for ok in oks] == [OkKeep, OkKeep]
    assert [(ok.sequence_number, ok.bell) for ok in oks] == [(ok.sequence_number, ok.bell) for ok in others]
    with pytest.raises(UnknownNameError):
        above.take("B")


XZ = Measurement(RandomBasis.XZ, weights=(128, 0))


def test_measure_directly_gives_both_ends_bits_of_the_same_pairs() -> None:
    """Perfect pairs: in one basis, the bits are equal or opposite as the Bell state of the OK says."""
    fabric = two(0.3, 1.0, slots=4)
    above = layer(fabric)
    wish = CreateMeasure(2, 0.9, purpose_id=7, number=60, local=XZ, remote=XZ)
    assert above.create("A", wish) == Ack(0)
    above.run(SECOND)
    here, there = above.take("A"), above.take("B")
    assert len(here) == len(there) == 60
    same = 0
    for one, two_ in zip(here, there, strict=True):
        assert type(one) is type(two_) is OkMeasure
        assert (one.sequence_number, one.bell, one.goodness) == (
            two_.sequence_number,
            two_.bell,
            two_.goodness,
        )
        assert (one.from_remote, two_.from_remote) == (False, True)
        assert {one.basis, two_.basis} <= {Basis.X, Basis.Z}
        if one.basis is two_.basis:
            same += 1
            odd = (
                one.bell in (Bell.PSI_PLUS, Bell.PSI_MINUS)
                if one.basis is Basis.Z
                else one.bell in (Bell.PHI_MINUS, Bell.PSI_MINUS)
            )
            assert one.outcome ^ two_.outcome == odd
    assert 5 < same < 55, "false alarm below 1e-9: 60 fair coins"
    assert {one.outcome for one in here} == {0, 1}
    assert not fabric.controller.ledger.leases()


def test_one_basis_by_rotation() -> None:
    fabric = two(0.3, 1.0, slots=4)
    above = layer(fabric)
    y = Measurement(rotations=(192, 0, 0))
    above.create("A", CreateMeasure(2, 0.9, purpose_id=7, number=5, local=y, remote=y))
    above.run(SECOND)
    assert [ok.basis for ok in (*above.take("A"), *above.take("B")) if isinstance(ok, OkMeasure)] == [
        Basis.Y
    ] * 10


def test_remote_state_preparation_leaves_a_half_at_the_peer() -> None:
    fabric = two(0.3, 1.0, slots=4)
    above = layer(fabric)
    above.create("A", CreatePrepare(2, 0.9, purpose_id=7, number=2, local=XZ))
    above.run(100 * MS)
    here, there = above.take("A"), above.take("B")
    assert [type(ok) for ok in here] == [OkPrepare] * 2
    assert [type(ok) for ok in there] == [OkKeep] * 2
    for one, other in zip(here, there, strict=True):
        assert isinstance(one, OkPrepare)
        assert isinstance(other, OkKeep)
        assert (one.sequence_number, one.bell) == (other.sequence_number, other.bell)
        measured = fabric.perform(Measure("B", other.logical_qubit_id, one.basis.name))
        assert isinstance(measured, Measured)
        odd = (
            one.bell in (Bell.PSI_PLUS, Bell.PSI_MINUS)
            if one.basis is Basis.Z
            else one.bell in (Bell.PHI_MINUS, Bell.PSI_MINUS)
        )
        assert measured.bit == one.outcome ^ odd
        above.used("B", 1, other.sequence_number)
    above.run(200 * MS)
    assert not fabric.controller.ledger.leases()


def test_atomic_pairs_come_together() -> None:
    fabric = two(0.1, 0.99, slots=4)
    above = layer(fabric)
    assert above.create(
        "A", CreateKeep(2, 0.9, TimeUnit.SECOND, 2, purpose_id=7, number=2, atomic=True)
    ) == Ack(0)
    above.run(SECOND)
    oks = above.take("A")
    assert [type(ok) for ok in oks] == [OkKeep, OkKeep]
    assert all(
        fabric.twin.nodes["A"].slots[ok.logical_qubit_id].half is not None
        for ok in oks
        if isinstance(ok, OkKeep)
    )


def test_a_peer_that_did_not_ask_for_it_rejects_after_a_round_trip() -> None:
    fabric = two(hop_delay=MS)
    above = layer(fabric)
    above.receive("B", StopReceive(1, 7))
    assert above.create("A", CreateKeep(2, 0.9, purpose_id=7)) == Ack(0)
    assert fabric.now == 2 * MS
    assert above.take("A") == [Err(0, ErrorCode.REJECTED, 1)]
    assert above.take("B") == []
    assert not fabric.open_requests
    above.receive("B", Receive(1, 7))
    assert above.create("A", CreateKeep(2, 0.9, purpose_id=8)) == Ack(1), "another purpose"
    assert above.take("A") == [Err(1, ErrorCode.REJECTED, 1)]


def test_every_refusal_has_its_code() -> None:
    fabric = two(fidelity=0.9)
    above = layer(fabric)
    above.create("A", CreateKeep(2, 0.9999, purpose_id=7))
    above.run(MS)
    assert above.take("A") == [Err(0, ErrorCode.UNSUPP, 1)]
    above.create("A", CreateKeep(2, 0.85, TimeUnit.MICRO, 150, purpose_id=7))
    above.run(2 * MS)
    assert above.take("A") == [Err(1, ErrorCode.NOTIME, 1)]
    for wish in (
        CreateMeasure(2, 0.8, purpose_id=7, local=Measurement(RandomBasis.CHSH)), CreateKeep(2, 1.0, purpose_id=7),
        CreateMeasure(2, 0.8, purpose_id=7, local=Measurement(RandomBasis.XZ, weights=(128, 0))),
        CreatePrepare(2, 0.8, purpose_id=7, local=Measurement(RandomBasis.XYZ, weights=(85, 84))),
        CreatePrepare(2, 0.8, purpose_id=7, local=Measurement(rotations=(0, 32, 0))),
        CreateKeep(9, 0.8, purpose_id=7), CreateKeep(1, 0.8, purpose_id=7),
        CreateKeep(2, 0.8, purpose_id=7, number=2, consecutive=True),
    ):  # fmt: skip
        answer = above.create("A", wish)
        assert isinstance(answer, Err), wish
        assert (answer.code, answer.origin_node_id) == (ErrorCode.UNSUPP, 1)
    assert above.take("A") == [], "said at once, and not twice"


def test_consecutive_has_two_meanings() -> None:
    """The draft's (an OK for each pair) is what there is; QLink-Interface's (close in time) needs a number, and a promise."""
    three = CreateMeasure(2, 0.8, purpose_id=7, number=3, consecutive=True)
    for carried, said, asked in (
        (Carried(), ErrorCode.UNSUPP, None),
        (Carried(each=True), None, None),
        (Carried(jitter=SECOND), None, SECOND),
        (Carried(each=True, jitter=SECOND), None, None),
    ):
        answer, request = EgpService("A", {"A": 1, "B": 2}, carried).create(three, 0)
        assert getattr(answer, "code", None) is said
        assert (None if request is None else request.jitter) == asked
    one = CreateKeep(
        2, 0.8, purpose_id=7, consecutive=True
    )  # one pair is close to itself, and has an OK of its own
    answer, request = EgpService("A", {"A": 1, "B": 2}).create(one, 0)
    assert isinstance(answer, Ack)
    assert request is not None
    assert request.jitter is None


@pytest.mark.parametrize(("jitter", "fits"), [(SECOND, True), (1000, False)])
def test_pairs_close_in_time_are_promised_or_refused(jitter: Time, fits: bool) -> None:
    fabric = two(slots=2)
    above = layer(fabric, carried=Carried(jitter=jitter))
    wish = CreateKeep(2, 0.8, purpose_id=7, number=2, consecutive=True)
    assert isinstance(above.create("A", wish), Ack)
    above.run(fabric.now + SECOND)
    told = above.take("A")
    assert [type(each) for each in told][:2] == ([OkKeep, OkKeep] if fits else [Err])
    if not fits:
        assert isinstance(told[0], Err)
        assert told[0].code is ErrorCode.UNSUPP


def test_time_runs_out() -> None:
    fabric = two(success=0.02)
    above = layer(fabric)
    above.create("A", CreateKeep(2, 0.8, TimeUnit.MILLI, 400, purpose_id=7, number=2))
    fabric.inject(LinkChanged("plant", "A~B", False), 1 * MS)
    above.run(SECOND)
    last = above.take("A")[-1]
    assert isinstance(last, Err)
    assert last.code in (ErrorCode.TIMEOUT, ErrorCode.OTHER)
    fabric.finish()
    assert nothing_left(fabric)


def test_pairs_that_fade_are_taken_back_at_both_ends() -> None:
    fabric = two(t2=0.05, slots=3)
    above = layer(fabric)
    above.create("A", CreateKeep(2, 0.85, purpose_id=7, number=3))
    above.run(30 * MS)
    got = {name: above.take(name) for name in "AB"}
    oks = {name: [each for each in told if isinstance(each, OkKeep)] for name, told in got.items()}
    above.run(SECOND)
    for name in "AB":
        rest = [each for each in (*got[name], *above.take(name)) if isinstance(each, Err)]
        assert all((err.code, err.origin_node_id, err.create_id) == (ErrorCode.EXPIRE, 1, 0) for err in rest)
        back = [number for err in rest for number in err.expired()]
        assert sorted(back) == [0, 1, 2], "each pair is taken back once"
    assert [ok.sequence_number for ok in oks["A"]] == [ok.sequence_number for ok in oks["B"]]


def test_an_expired_number_is_not_given_while_a_pair_has_it() -> None:
    alice = EgpService("A", {"A": 1, "B": 2})

    def pair(number: int, until: int) -> Delivered:
        name = PairId(f"x#{number}", f"x#{number}")
        return Delivered(
            "egp/B/65537/7", number, name, ("B", "A"), Bell.PHI_PLUS, 0.9, 0.9, 0.9, 0, 5, until, (4, 3)
        )

    first = alice.delivered(pair(0, 10**15))
    assert isinstance(first, OkKeep)
    assert (first.create_id, first.from_remote, first.logical_qubit_id, first.sequence_number) == (
        1,
        True,
        3,
        0,
    )
    alice._counts["B"] = 2**16 - 1
    second, third = alice.delivered(pair(1, 8)), alice.delivered(pair(2, 8))
    assert [ok.sequence_number for ok in (second, third) if ok] == [65535, 1], "0 is still in use"
    assert [err.sequence for err in alice.expired(8)] == [(1, 2), (65535, 0)]
    alice.consumed("B", 0)
    assert alice.expired(10**15) == [], "what is used is not taken back"
    assert alice.delivered(pair(3, 8)) is not None
    other = LinkRequest("A", "B", 0.9, name="video")
    assert (
        alice.delivered(
            Delivered(other.name, 1, PairId("a", "b"), ("A", "B"), Bell.PHI_PLUS, 0.9, 0.9, 0.9, 0, 5, 9)
        )
        is None
    )


def test_the_twin_knows_that_the_frame_is_right() -> None:
    """An OK's Bell state is what the consumers tell the plant; a wrong one would show as a low fidelity."""
    fabric = two(0.3, 1.0, hop_delay=0, slots=4)
    truths: list[Truth] = []
    fabric.watch(lambda _time, _place, message: truths.append(message), Truth)  # type: ignore[arg-type]
    above = layer(fabric)
    above.create("A", CreateKeep(2, 0.9, purpose_id=7, number=4))
    above.run(100 * MS)
    for here, there in zip(above.take("A"), above.take("B"), strict=True):
        assert isinstance(here, OkKeep)
        assert isinstance(there, OkKeep)
        fabric.perform(Consume("A", here.logical_qubit_id, here.bell))
        fabric.perform(Consume("B", there.logical_qubit_id, there.bell))
        above.used("A", 2, here.sequence_number)
    assert len(truths) == 4
    assert all(truth.weights[0] == pytest.approx(1.0) for truth in truths)
