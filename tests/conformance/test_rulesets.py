"""RuleSets: an engine that knows nothing of us executes what we export, and decides what our agents decide.

Networks run on the twin with random successes, losses, cutoffs, purification, delays and cuts. Everything that reaches a node is
shown to
`ruleset_engine.Engine`, which executes the node's exported RuleSet, after a journey through JSON. Its swaps, purifications, discards
and
deliveries must be those of the node's circuit: the same slots at the same picosecond.
"""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import chain, link, node, plan
from conformance.ruleset_engine import Engine
from quantum_fabric.control.rules import calibration, compile_rules, lanes_wanted, slots_wanted
from quantum_fabric.documents import topology
from quantum_fabric.errors import InputError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import (
    Axes,
    Choice,
    Commit,
    Confirmed,
    CutoffRule,
    DeliverRule,
    Discard,
    Distillation,
    Drain,
    GenerateRule,
    Heralded,
    Joined,
    LinkChanged,
    LinkRequest,
    Lost,
    Order,
    Plan,
    Prepare,
    Purified,
    Purify,
    PurifyAnswer,
    PurifyAsk,
    PurifyRule,
    Reading,
    Release,
    Rotation,
    Rule,
    Swap,
    Swapped,
    SwapRule,
)
from quantum_fabric.physics.frames import purify_frame
from quantum_fabric.standards.rulesets import CONJUGATE, GATES, Ground, ground_of, ruleset
from quantum_fabric.standards.rulesets_reading import rules_of
from quantum_fabric.units import MS, US


class Seat:
    """One node's engine, and the little that a node knows beside its RuleSet: links of its slots, frames of its halves."""

    def __init__(self, message: Prepare, spoil: Any = None) -> None:
        shape = json.loads(json.dumps(ruleset(message.rules, message.node, message.epoch)))
        if spoil is not None:
            for stage in shape["stages"]:
                for rule in stage["rules"]:
                    spoil([*rule["condition"]["condition_clauses"], *rule["action"]["action_clauses"]])
        self.engine = Engine(shape)
        self.rules = message.rules
        self.slots = {s: r.partner for r in message.rules if isinstance(r, GenerateRule) for s in r.slots}
        self.frames: dict[str, int] = {}
        self.running = False

    def hear(self, now: int, message: Any) -> None:
        engine = self.engine
        engine.until(now)
        match message:
            case Heralded():
                self.frames[message.pair] = message.bell ^ self.frames.get(message.pair, 0)
                engine.heralded(message.pair, message.slot, self.slots[message.slot], message.born)
            case Swapped():
                bits = None if message.outcome is None else [message.outcome & 1, message.outcome >> 1]
                engine.done(message.left, bits)
            case Purified():
                engine.done(
                    message.keep, None if message.bit is None else [message.bit ^ self.flip(message.keep)]
                )
            case Joined():
                self.frames[message.mine] = self.frames.get(message.mine, 0) ^ message.frame
                engine.transferred(message.mine, message.was, message.partner, message.far)
            case Lost():
                engine.freed_by_peer(message.mine)
            case PurifyAsk():
                names = [message.sacrifice, message.keep]
                engine.told(message.asker, names, 1 + 2 * message.rounds, message.outcome)
            case PurifyAnswer():
                half = engine.halves.get(message.keep)
                if half is not None and half.stage % 2 == 0 and not half.running:
                    bit = half.variables["keep.bit"]
                    if message.success:
                        self.frames[half.name] = message.frame
                    engine.told(half.partner, [half.name], half.stage, bit if message.success else 1 - bit)

    def flip(self, slot: int) -> int:
        """Whether bits of a purification are equal when they differ: at the end that compares, by the frames of both pairs."""
        names = self.engine.suspended[slot][2]
        if "ask" not in names:
            return 0
        keep, sacrifice = names["keep"], names["sacrifice"]
        rule = next(r for r in self.rules if isinstance(r, PurifyRule) and r.partner == keep.partner)
        done = (keep.stage - 1) // 2
        words = rule.rotations[done].words if done < len(rule.rotations) else None
        label, flip = purify_frame(
            rule.distillation.value, self.frames[keep.name], self.frames[sacrifice.name], words
        )
        self.frames[keep.name] = label
        return int(flip)


NEWS = (Heralded, Swapped, Purified, Joined, Lost, PurifyAsk, PurifyAnswer)


class Referee:
    """Feeds every node's engine from a running fabric, and notes what the agents decide."""

    def __init__(self, fabric: Fabric) -> None:
        self.prepared: dict[tuple[int, str], Seat] = {}
        self.by_slot: dict[tuple[str, int], Seat] = {}
        self.real: dict[Seat, list[tuple[int, str, tuple[int, ...]]]] = {}
        self.spoil: Any = None
        fabric.watch(self)

    def __call__(self, time: int, place: str, message: Any) -> None:
        match message:
            case Prepare():
                self.prepared[message.epoch, place] = Seat(message, self.spoil)
            case Commit():
                seat = self.prepared.get((message.epoch, place))
                if seat is not None and seat not in self.real:
                    seat.running = True
                    self.real[seat] = []
                    self.by_slot |= {(place, slot): seat for slot in seat.slots}
            case Drain() | Release():
                seat = self.prepared.get((message.epoch, place))
                if seat is not None and seat.running:
                    seat.engine.until(time)
                    seat.running = False
            case Confirmed():
                seat = self.prepared[message.epoch, message.node]
                self.real[seat].append((message.at, "deliver", (message.slot,)))
            case Swap():
                self.note(place, (time, "swap", (message.left, message.right)))
            case Purify():
                self.note(place, (time, "purify", (message.keep, message.sacrifice)))
            case Discard():
                self.note(place, (time, "discard", (message.slot,)))
            case _ if isinstance(message, NEWS):
                seat = self.seat_of(place, message)
                if seat is not None and seat.running:
                    seat.hear(time, message)

    def seat_of(self, place: str, message: Any) -> Seat | None:
        if isinstance(message, Heralded):
            return self.by_slot.get((place, message.slot))
        if isinstance(message, Swapped):
            return self.by_slot.get((place, message.left))
        if isinstance(message, Purified):
            return self.by_slot.get((place, message.keep))
        return self.prepared.get((message.epoch, place))

    def note(self, place: str, decision: tuple[int, str, tuple[int, ...]]) -> None:
        seat = self.by_slot.get((place, decision[2][0]))
        if seat is not None and seat.running:
            self.real[seat].append(decision)


def scenario(seed: int) -> tuple[Fabric, Plan]:
    """A chain of 2 to 5 nodes with everything that the exported rules can say."""
    dice = random.Random(seed)
    count = dice.choice((2, 3, 3, 4, 5))
    links = [
        link(dice.uniform(0.05, 0.5), dice.choice((10, 37, 100)) * US, dice.uniform(0.93, 1.0))
        for _ in range(count - 1)
    ]
    each = node(
        slots=16,
        t2=dice.choice((0.01, 1.0)),
        swap_time=dice.choice((0, 3 * US)),
        swap_success=dice.choice((1.0, 0.8)),
    )
    network = chain(count, links, each, hop_delay=dice.choice((0, 40 * US, 250 * US)))
    order = dice.choice(list(Order))
    made = plan(
        network, list(network.nodes), order, lanes=[dice.randint(1, 4) for _ in links], rounds=dice.choice((0, 0, 1, 2)),
        inner=dice.choice((0, 1)), end_rounds=dice.choice((0, 1, 2)), cutoff=dice.choice((None, 1_500 * US, 777_777_777)),
        distillation=dice.choice(list(Distillation)),
    )  # fmt: skip
    made = replace(made, choice=dice.choice((Choice.OLDEST, Choice.YOUNGEST)))
    return Fabric(network, seed=seed), made


def played(seed: int, planned: Any, spoil: Any = None) -> Referee:
    """One scenario to its end; ``spoil`` may change what the engines execute."""
    fabric, made = scenario(seed)
    planned(made)
    referee = Referee(fabric)
    referee.spoil = spoil
    name = fabric.submit(LinkRequest("A", made.path[-1], 0.500001, pairs=30, hold=False))
    dice = random.Random(-seed - 1)
    if seed % 4 == 0:  # light goes and comes back
        at = dice.randrange(1, 20) * MS
        fabric.inject(LinkChanged("plant", made.links[0].link, False), at)
        fabric.inject(LinkChanged("plant", made.links[0].link, True), at + 5 * MS)
    fabric.run(400 * MS)
    fabric.cancel(name)
    fabric.finish()
    return referee


def agree(referee: Referee) -> bool:
    return all(sorted(seat.engine.decisions) == sorted(decisions) for seat, decisions in referee.real.items())


SEEN: Counter[str] = Counter()


@pytest.mark.parametrize("seed", range(40))
def test_an_engine_that_executes_the_export_decides_what_our_agents_decide(seed: int, planned: Any) -> None:
    referee = played(seed, planned)
    assert referee.real
    for seat, decisions in referee.real.items():
        assert sorted(seat.engine.decisions) == sorted(decisions), seat.engine.stages
        SEEN.update(what for _, what, _ in decisions)


def test_the_referee_saw_enough() -> None:
    """Runs after the scenarios (one process): every kind of decision, many times."""
    if not SEEN:
        pytest.skip("the scenarios ran elsewhere")
    print(SEEN)
    assert min(SEEN[kind] for kind in ("swap", "purify", "discard", "deliver")) > 300


def youngest(clauses: list[Any]) -> None:
    for each in clauses:
        if each["name"] == "RES" and each["arguments"].get("order") != "youngest":
            each["arguments"]["order"] = "youngest"


def later(clauses: list[Any]) -> None:
    for each in clauses:
        if each["name"] == "SETTIMER":
            each["arguments"]["nano_sec"] += 1


def contrary(clauses: list[Any]) -> None:
    for each in clauses:
        if each["name"] == "CMP":
            each["arguments"]["operation"] = "!=" if each["arguments"]["operation"] == "=" else "="


@pytest.mark.parametrize("spoil", [youngest, later, contrary])
def test_the_referee_sees_a_wrong_clause(spoil: Any, planned: Any) -> None:
    def fooled(seed: int) -> bool:
        try:
            return agree(played(seed, planned, spoil))
        except KeyError:  # the agents finish what the engine never began
            return False

    assert not all(fooled(seed) for seed in range(12))


# --------------------------------------------------------------------------------------- there and back


def node_rules(seed: int) -> dict[str, tuple[Rule, ...]]:
    """What the controller would install for a scenario."""
    fabric, made = scenario(seed)
    wanted = slots_wanted(made)
    slots = {name: tuple(range(count)) for name, count in wanted.items()}
    lanes = {name: tuple(range(count)) for name, count in lanes_wanted(made).items()}
    return compile_rules(made, topology(fabric.inventory), slots, lanes, seed % 2 == 0)


def journey(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    return rules_of(json.loads(json.dumps(ruleset(rules, "X", 3))), ground_of(rules))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_our_rules_come_back_as_they_went(seed: int) -> None:
    for rules in node_rules(seed).values():
        assert journey(rules) == rules


axes = st.builds(Rotation, st.sampled_from(Axes), st.sampled_from(Axes))


@settings(deadline=None)
@given(
    st.lists(axes, max_size=3),
    st.integers(0, 3),
    st.sampled_from(Distillation),
    st.booleans(),
    st.sampled_from(Choice),
    st.integers(0, 10**13),
)
def test_turned_rounds_and_every_age_come_back(
    turns: list[Rotation], more: int, kind: Distillation, initiator: bool, choice: Choice, age: int
) -> None:
    some = next(rule for rule in node_rules(1)["B"] if isinstance(rule, GenerateRule))
    belief = node_calibration()
    rounds = len(turns) + more
    purify = [PurifyRule("A", rounds, kind, initiator, belief, tuple(turns))] if rounds else []
    rules = (replace(some, partner="A"), *purify, SwapRule(("A",), ("C", "D"), choice), CutoffRule(age))
    assert journey(rules) == rules
    assert journey(rules[1:]) == rules[1:], "also where the node does not generate"


def node_calibration() -> Any:
    return calibration(topology(chain(2, link())).nodes["A"])


PAULI = {"X": np.array([[0, 1], [1, 0]]), "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.diag([1, -1])}
MATRIX = {
    "H": np.array([[1, 1], [1, -1]]) / np.sqrt(2), "S": np.diag([1, 1j]), "SDG": np.diag([1, -1j]),
    "SX": np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2, "SXDG": np.array([[1 - 1j, 1 + 1j], [1 + 1j, 1 - 1j]]) / 2,
}  # fmt: skip


@pytest.mark.parametrize("turn", list(Axes))
def test_gates_turn_the_axes_as_their_name_says(turn: Axes) -> None:
    """By matrices: U at one end, its complex conjugate at the other; Phi+ stays, and the old correlators change places."""
    here, there = np.eye(2, dtype=complex), np.eye(2, dtype=complex)
    for gate in GATES[turn]:
        here, there = MATRIX[gate] @ here, MATRIX[CONJUGATE[gate]] @ there
    phi = np.array([1, 0, 0, 1]) / np.sqrt(2)
    both = np.kron(here, there)
    assert abs(phi @ both @ phi) == pytest.approx(1.0)
    for new, old in zip("XYZ", turn.value.upper(), strict=True):
        moved = both @ np.kron(PAULI[old], PAULI[old]) @ both.conj().T
        assert np.allclose(abs(moved), abs(np.kron(PAULI[new], PAULI[new])))
        sign = {"X": 1, "Y": -1, "Z": 1}
        assert np.allclose(sign[old] * moved, sign[new] * np.kron(PAULI[new], PAULI[new]))


# -------------------------------------------------------------------------------- what we cannot do, by name


def exported() -> tuple[dict[str, Any], Ground]:
    rules = (
        *node_rules(1)["B"][:1], PurifyRule("A", 2, Distillation.DEJMPS, True, node_calibration()),
        SwapRule(("A",), ("C",)), CutoffRule(5 * MS),
    )  # fmt: skip
    return ruleset(rules, "B", 7), ground_of(rules)


def clauses_of(shape: Any, stage: int, rule: int, kind: str) -> list[Any]:
    found = shape["stages"][stage]["rules"][rule][kind][f"{kind}_clauses"]
    assert isinstance(found, list)
    return found


def spoiled(change: Any) -> str:
    shape, ground = exported()
    shape = copy.deepcopy(shape)
    change(shape)
    with pytest.raises(InputError) as caught:
        rules_of(shape, ground)
    assert len(str(caught.value)) < 600
    return f"{caught.value.where} | {caught.value.found}"


def test_a_clause_that_we_cannot_act_on_is_named() -> None:
    anc = {"name": "ANC", "arguments": {"num_resource": 3}, "alias": {"qubits": ["a"]}}
    assert (
        spoiled(lambda s: clauses_of(s, 1, 0, "condition").append(anc))
        == "stage 1, rule 0, condition 1 | 'ANC'"
    )
    get = {"name": "GET", "arguments": {"ref_name": "mc"}, "alias": {"local_name": "n"}}
    assert (
        spoiled(lambda s: clauses_of(s, 1, 0, "action").insert(0, get)) == "stage 1, rule 0, action 0 | 'GET'"
    )
    ghz = spoiled(lambda s: clauses_of(s, 5, 0, "condition")[0]["arguments"].update(resource_type="GHZ"))
    assert ghz == "stage 5, rule 0, condition 0 (RES) | 'GHZ'"
    gate = spoiled(
        lambda s: clauses_of(s, 1, 0, "action")[0]["arguments"]["qgates"][0]["arguments"].update(
            operation="T"
        )
    )
    assert gate == "stage 1, rule 0, action 0 (QCIRC) | T"


def test_rules_that_differ_in_meaning_are_refused_where_they_differ() -> None:
    extra = {"name": "FREE", "arguments": {"qubit_refs": ["keep"]}, "alias": {}}
    assert spoiled(lambda s: clauses_of(s, 1, 0, "action").append(extra)).startswith(
        "stage 1, rule 0, action 6 | "
    )
    far = spoiled(lambda s: clauses_of(s, 1, 0, "action")[-1]["arguments"].update(stage_id=4))
    assert far.startswith("stage 1, rule 0, action 5 | ")
    count = spoiled(lambda s: clauses_of(s, 5, 0, "condition")[0]["arguments"].update(num_resource=2))
    assert count.startswith("stage 5, rule 0, condition 0 | ")
    assert spoiled(lambda s: s["stages"][2]["rules"].pop()).startswith("stage 2 | no such rule")
    assert "timers" in spoiled(lambda s: clauses_of(s, 0, 0, "action").append(
        {"name": "SETTIMER", "arguments": {"nano_sec": 7, "timer_id": "x"}, "alias": {}}
    ))  # fmt: skip
    assert spoiled(lambda s: clauses_of(s, 1, 0, "condition")[0]["arguments"].update(partner_addresses=["Z"]))


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.pop("stages"), lambda s: s.update(stages={}), lambda s: s.update(colour=1), lambda s: s.update(num_stages=2),
        lambda s: s.update(ruleset_id="x"), lambda s: s.update(owner_address=""), lambda s: s["stages"].reverse(),
        lambda s: s.update(stages=[{"stage_id": 0, "rules": []}] * 300), lambda s: s["stages"][0].update(rules=[None]),
        lambda s: s["stages"][0]["rules"][0].pop("action"), lambda s: s["stages"][0]["rules"][0].update(action=[]),
        lambda s: clauses_of(s, 0, 0, "condition").append(7), lambda s: clauses_of(s, 0, 0, "condition")[0].update(arguments=3),
        lambda s: clauses_of(s, 0, 0, "condition")[0].update(alias=[]),
        lambda s: clauses_of(s, 0, 0, "action")[0]["arguments"].update(nano_sec=-1),
        lambda s: clauses_of(s, 0, 0, "action")[0]["arguments"].update(nano_sec=1.5),
        lambda s: clauses_of(s, 1, 0, "action")[0]["arguments"].update(protocol=["x"]),
        lambda s: clauses_of(s, 1, 0, "action")[0]["arguments"].update(qgates=[None]),
        lambda s: clauses_of(s, 5, 0, "condition")[0]["arguments"].update(order=["x"]),
        lambda s: clauses_of(s, 5, 0, "condition")[0]["arguments"].update(partner_addresses=[1]),
        lambda s: clauses_of(s, 1, 0, "action")[0]["arguments"]["qgates"].pop(),
    ],
)  # fmt: skip
def test_hostile_rulesets_get_typed_errors(change: Any) -> None:
    assert spoiled(change)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [path, *(leaf for key in value for leaf in leaves(value[key], (*path, key)))]
    if isinstance(value, list):
        return [path, *(leaf for key, each in enumerate(value) for leaf in leaves(each, (*path, key)))]
    return [path]


junk = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just([])
    | st.just({})
    | st.just([[]])
    | st.just({"a": 1})
)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 10**9), junk)
def test_anything_anywhere_is_read_or_refused(where: int, value: Any) -> None:
    """One value of an export is replaced: rules come of it, or an `InputError`; never another fault."""
    shape, ground = exported()
    shape = copy.deepcopy(shape)
    places = leaves(shape)
    path = places[where % len(places)]
    if not path:
        return
    target = shape
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    try:
        rules = rules_of(shape, ground)
    except InputError:
        return
    assert all(
        isinstance(rule, GenerateRule | PurifyRule | SwapRule | CutoffRule | DeliverRule) for rule in rules
    )


def test_names_for_people_do_not_matter_and_spellings_of_examples_are_read() -> None:
    shape, ground = exported()
    text = (
        json.dumps(shape).replace('"sacrifice"', '"q1"').replace('"keep"', '"q2"').replace('"keep.', '"q2.')
    )
    other = json.loads(text)
    for stage in other["stages"]:
        for rule in stage["rules"]:
            rule.pop("name")
            rule["condition"].pop("num_clauses")
            for each in rule["condition"]["condition_clauses"]:
                partners = each["arguments"].get("partner_addresses", [])
                if len(partners) == 1:
                    del each["arguments"]["partner_addresses"]
                    each["arguments"]["partner_address"] = partners[0]
    assert rules_of(other, ground) == rules_of(shape, ground)


def test_what_has_no_words_is_not_written() -> None:
    belief = node_calibration()
    cases: list[tuple[Any, str]] = [
        (PurifyRule("A", 1, Distillation.DEJMPS, True, belief, pumped=True), "pumping"),
        (DeliverRule("A", False, Reading(("X",), 1.0, "00" * 32)), "measured or turned"),
        (object(), "object"),
    ]
    for rule, word in cases:
        with pytest.raises(InputError, match=word) as caught:
            ruleset([rule], "B", 1)
        assert "0000" not in str(caught.value), "no key in an error"
    with pytest.raises(InputError, match="second"):
        ruleset([SwapRule(("A",), ("C",))] * 2, "B", 1)


def test_a_partner_that_the_node_knows_nothing_of_is_refused() -> None:
    shape, ground = exported()
    with pytest.raises(InputError, match="believes something"):
        rules_of(shape, Ground(ground.generate, {}))
