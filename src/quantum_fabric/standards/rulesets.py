"""The rules of a node as a RuleSet (AQUA's RuleSetSpec), and back.

Read (S): RuleSetSpec at commit fce91fe (``2.2.RuleSetSpec.md``: RuleSet, Stage, Rule, clauses and their arguments) and commit 64a2f49
(``2.3.RuleSetExecutionSpec.md``). QuISP's own JSON (read in its tests, S) is an older dialect without stages and is not spoken here.

A RuleSet says *what to do*; with which slots, at which setting, and what is believed of the partners it does not say. That is the
node's own
ground (`Ground`): `rules_of` needs it, and ``rules_of(ruleset(rules), ground_of(rules)) == rules``.

Stages of an exported RuleSet:

======================  ===========================================================================================================
stage                   holds halves that
======================  ===========================================================================================================
0                       were heralded just now; the timer of a cutoff is set
1 + 2k                  have had k rounds of purification with their present partner
2 + 2k                  wait for the outcome of their round k + 1
last but one, or last   are ready (they have all their rounds): swapped, or handed over. It is stage 1 + 2 max(rounds)
last, at an end         the application has taken; it has no rules
======================  ===========================================================================================================

What the specification leaves open ("under construction"), and what is meant here (D); an engine that executes an export must do this:

* RES takes the oldest halves first, by birth or last purification, then by slot; ``order`` says ``youngest`` or ``best`` instead.
  ``partner_addresses`` means a partner that is any of them; ``[]`` means any at all.
* ``RESBYNAME(message)`` takes the halves that a message names, if they are at rest in this stage; where they are gone, those that are
  left are freed and the sender is told (MSGFREE). A destination ``q.partner`` is the node at the other end of ``q``.
* ``SET`` to a name that begins with that of a qubit (``keep.bit``) is a variable of that half. Results are compared in the Pauli
  frame.
* MSGTRANSFER gives a half its new partner and puts it into the stage that the message names; MSGFREE frees it. A Bell measurement that
  fails sends MSGFREE instead. A half in an operation has left its stage until that is over; a MSGFREE that comes meanwhile breaks it
  off.
  In a stage that waits for an outcome, a MSGTRANSFER waits too.
* TIMER is true at the moment when it runs out and never again. ``SETTIMER`` counts from the birth of the half where ``since`` says
  so, and
  ``pico_sec`` are added to ``nano_sec``: an engine that does not know it is early by less than a nanosecond.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from quantum_fabric.errors import InputError
from quantum_fabric.messages import (
    Axes,
    Calibration,
    Choice,
    CutoffRule,
    DeliverRule,
    Distillation,
    GenerateRule,
    PurifyRule,
    Rotation,
    Rule,
    SwapRule,
)
from quantum_fabric.units import NS

GATES: Final[Mapping[Axes, tuple[str, ...]]] = {
    Axes.XYZ: (), Axes.XZY: ("SX",), Axes.ZYX: ("H",), Axes.YXZ: ("S",), Axes.YZX: ("S", "SX"), Axes.ZXY: ("H", "SX"),
}  # fmt: skip
"""A bilateral rotation as gates at the initiator, in order; the other end has the inverses of S and SX (it turns by U*)."""

CONJUGATE: Final = {"S": "SDG", "SX": "SXDG", "H": "H"}
OWN: Final = {
    Distillation.DEJMPS: Rotation(Axes.XZY, Axes.XZY),
    Distillation.BBPSSW: Rotation(Axes.XYZ, Axes.XYZ),
}
"""How a protocol turns the pairs where nothing else is said."""

FRESH: Final = 0
HAVING: Final = 1


@dataclass(frozen=True, slots=True)
class Ground:
    """What a RuleSet does not say, and a node knows by itself.

    Attributes:
        generate: with which slots and lanes it tries towards its neighbours, and what it believes of them.
        calibrations: believed noise of partners that it purifies with.
    """

    generate: tuple[GenerateRule, ...]
    calibrations: Mapping[str, Calibration]


def ground_of(rules: Iterable[Rule]) -> Ground:
    """The part of a node's rules that its RuleSet leaves out.

    Examples:
        >>> ground_of([]).generate
        ()
    """
    rules = tuple(rules)
    return Ground(
        tuple(rule for rule in rules if isinstance(rule, GenerateRule)),
        {rule.partner: rule.partner_calibration for rule in rules if isinstance(rule, PurifyRule)},
    )


def ruleset(rules: Sequence[Rule], owner: str, ruleset_id: int) -> dict[str, Any]:
    """The RuleSet of one node.

    Args:
        rules: of the node, as `quantum_fabric.control.rules.compile_rules` gives them.
        owner: its name, for ``owner_address``.
        ruleset_id: shared by the nodes of the path; the epoch, for example.

    Returns:
        Plain dicts and lists, for JSON.

    Raises:
        InputError: a rule that the specification has no words for (pumping; a kind of rule that is not known here).

    Examples:
        >>> shape = ruleset([SwapRule(("A",), ("C",))], "B", 7)
        >>> [rule["name"] for stage in shape["stages"] for rule in stage["rules"]]
        ['swap']
        >>> shape["stages"][1]["rules"][0]["condition"]["condition_clauses"][0]["arguments"]["partner_addresses"]
        ['A']
    """
    return _Writer(rules).write(owner, ruleset_id)


def clause(name: str, arguments: Mapping[str, Any], **alias: Any) -> dict[str, Any]:
    """One clause in the shape of the specification.

    Examples:
        >>> clause("CMP", {"variable": "rounds"})
        {'name': 'CMP', 'arguments': {'variable': 'rounds'}, 'alias': {}}
    """
    return {"name": name, "arguments": dict(arguments), "alias": alias}


def res(partners: Sequence[str], *names: str, order: Choice = Choice.OLDEST) -> dict[str, Any]:
    """RES: so many Bell pairs with any of these partners.

    Examples:
        >>> res(("A",), "q")["arguments"]
        {'resource_type': 'Bell', 'num_resource': 1, 'partner_addresses': ['A']}
    """
    arguments: dict[str, Any] = {
        "resource_type": "Bell",
        "num_resource": len(names),
        "partner_addresses": list(partners),
    }
    if order is not Choice.OLDEST:
        arguments["order"] = order.value
    return clause("RES", arguments, qubits=list(names))


def send(destination: str, kind: str, stage: int, **arguments: Any) -> dict[str, Any]:
    """SEND of a protocol message to a stage at another node.

    Examples:
        >>> send("B", "MSGFREE", 1)["arguments"]["message"]
        {'name': 'MSGFREE', 'arguments': {}}
    """
    message = {"name": kind, "arguments": arguments}
    return clause("SEND", {"destination": destination, "message": message, "dst_stg_id": stage})


def promote(name: str, stage: int) -> dict[str, Any]:
    """PROMOTE of one half.

    Examples:
        >>> promote("q", 2)["arguments"]
        {'qubit_refs': ['q'], 'stage_id': 2}
    """
    return clause("PROMOTE", {"qubit_refs": [name], "stage_id": stage})


def free(*names: str) -> dict[str, Any]:
    """FREE of halves.

    Examples:
        >>> free("q")["arguments"]
        {'qubit_refs': ['q']}
    """
    return clause("FREE", {"qubit_refs": list(names)})


def circuit(
    names: Sequence[str], gates: Iterable[tuple[str, str | None, str]], **more: Any
) -> dict[str, Any]:
    """QCIRC of (operation, control, target).

    Examples:
        >>> circuit(("a", "b"), [("CX", "a", "b")])["arguments"]["circ_qubits"]
        ['a', 'b']
    """
    shapes = [
        {"name": "QGATE", "arguments": {"operation": gate, "control_qubit": control, "target_qubit": target}, "alias": {}}
        for gate, control, target in gates
    ]  # fmt: skip
    return clause("QCIRC", {"circ_qubits": list(names), "qgates": shapes, **more})


class _Writer:
    """Puts the clauses of one node's rules into stages."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._generate: list[GenerateRule] = []
        self._purify: list[PurifyRule] = []
        self._swaps: list[SwapRule] = []
        self._cutoffs: list[CutoffRule] = []
        self._deliver: list[DeliverRule] = []
        for place, rule in enumerate(rules):
            self._take(rule, f"rule {place}")
        self._rounds = {rule.partner: rule.rounds for rule in self._purify}
        self._ready = HAVING + 2 * max(self._rounds.values(), default=0)
        count = self._ready + 1 + len(self._deliver)
        self._stages: list[list[dict[str, Any]]] = [[] for _ in range(count)]

    def _take(self, rule: Rule, where: str) -> None:
        kinds: tuple[list[Any], ...] = (self._swaps, self._cutoffs, self._deliver)
        if isinstance(rule, GenerateRule):
            self._generate.append(rule)
        elif isinstance(rule, PurifyRule):
            _check_rounds(rule, where)
            self._purify.append(rule)
        elif isinstance(rule, SwapRule):
            self._swaps.append(rule)
        elif isinstance(rule, CutoffRule):
            self._cutoffs.append(rule)
        elif type(rule) is DeliverRule:
            _check_delivery(rule, where)
            self._deliver.append(rule)
        else:
            known = "generate, purify, swap, cutoff or deliver"
            raise InputError(f"a {type(rule).__name__}", f"a rule of these kinds: {known}", where)
        if max(map(len, kinds)) > 1:
            raise InputError(f"a second {type(rule).__name__}", "at most one of each kind", where)

    def write(self, owner: str, ruleset_id: int) -> dict[str, Any]:
        """All stages."""
        self._arrivals()
        for rule in self._purify:
            for done in range(rule.rounds):
                (self._asking if rule.initiator else self._answering)(rule, done)
        self._promotions()
        for swap in self._swaps:
            self._swapping(swap)
        for deliver in self._deliver:
            self._delivering(deliver)
        if self._cutoffs:
            self._ageing()
        stages = [{"stage_id": place, "rules": rules} for place, rules in enumerate(self._stages)]
        return {
            "ruleset_id": ruleset_id, "owner_address": owner, "num_stages": len(stages), "stages": _numbered(stages),
        }  # fmt: skip

    def _add(
        self, stage: int, name: str, condition: list[dict[str, Any]], action: list[dict[str, Any]]
    ) -> None:
        self._stages[stage].append(
            {
                "rule_id": 0, "name": name, "send_tag": -1, "receive_tag": -1,
                "condition": {"name": name, "num_clauses": len(condition), "condition_clauses": condition},
                "action": {"name": name, "num_clauses": len(action), "action_clauses": action},
            }
        )  # fmt: skip

    def _after(self, partner: str, done: int) -> int:
        """The stage of a half that has so many rounds."""
        return self._ready if done == self._rounds[partner] else HAVING + 2 * done

    def _arrivals(self) -> None:
        neighbours = list(dict.fromkeys(rule.partner for rule in self._generate))
        if not neighbours and not self._cutoffs:
            return
        timer = []
        for rule in self._cutoffs:
            age = {"nano_sec": rule.age // NS, "timer_id": "cutoff.q", "since": "birth"}
            if rule.age % NS:
                age["pico_sec"] = rule.age % NS
            timer.append(clause("SETTIMER", age))
        self._add(FRESH, "arrived", [res(neighbours, "q")], [*timer, promote("q", HAVING)])

    def _asking(self, rule: PurifyRule, done: int) -> None:
        stage, partner = HAVING + 2 * done, rule.partner
        act = [
            _turned(rule, done), clause("MEAS", {"basis": "Z", "target_qubit": "sacrifice"}, result="bit"),
            clause("SET", {"variable": "bit", "ref_name": "keep.bit"}),
            send(partner, "MSGMEAS", stage, meas_result_ref="bit", qubit_refs=["sacrifice", "keep"]),
            free("sacrifice"), promote("keep", stage + 1),
        ]  # fmt: skip
        self._add(stage, f"ask {partner}", [res([partner], "sacrifice", "keep")], act)
        for equal, end in (("=", promote("keep", self._after(partner, done + 1))), ("!=", free("keep"))):
            heard = [
                clause("RECV", {"source_address": partner}, message="answer"),
                clause("RESBYNAME", {"message": "answer"}, qubits=["keep"]),
                clause("CMP", {"variable": "keep.bit", "operation": equal, "value": "answer"}),
            ]
            self._add(stage + 1, f"{'keep' if equal == '=' else 'drop'} {partner}", heard, [end])

    def _answering(self, rule: PurifyRule, done: int) -> None:
        stage, partner = HAVING + 2 * done, rule.partner
        heard = [
            clause("RECV", {"source_address": partner}, message="ask"),
            clause("RESBYNAME", {"message": "ask"}, qubits=["sacrifice", "keep"]),
        ]
        act = [
            _turned(rule, done), clause("MEAS", {"basis": "Z", "target_qubit": "sacrifice"}, result="bit"),
            clause("SET", {"variable": "bit", "ref_name": "keep.bit"}), clause("SET", {"variable": "ask", "ref_name": "keep.ask"}),
            free("sacrifice"), promote("keep", stage + 1),
        ]  # fmt: skip
        self._add(stage, f"answer {partner}", heard, act)
        for equal, end in (("=", promote("keep", self._after(partner, done + 1))), ("!=", free("keep"))):
            same = [
                res([partner], "keep"),
                clause("CMP", {"variable": "keep.bit", "operation": equal, "value": "keep.ask"}),
            ]
            told = send(partner, "MSGMEAS", stage + 1, meas_result_ref="keep.bit", qubit_refs=["keep"])
            self._add(stage + 1, f"{'keep' if equal == '=' else 'drop'} {partner}", same, [told, end])

    def _promotions(self) -> None:
        """Halves that need fewer rounds than others go to the stage of those that are ready."""
        used = [partner for rule in self._swaps for partner in (*rule.left, *rule.right)]
        used += [rule.partner for rule in self._deliver]
        at: dict[int, list[str]] = {}
        for partner in dict.fromkeys(used):
            stage = HAVING + 2 * self._rounds.get(partner, 0)
            if self._rounds.get(partner, 0) == 0 and stage < self._ready:
                at.setdefault(stage, []).append(partner)
        for stage, partners in at.items():
            self._add(stage, "ready", [res(partners, "q")], [promote("q", self._ready)])

    def _swapping(self, rule: SwapRule) -> None:
        gates = [("CX", "left", "right"), ("H", None, "left")]
        results = {"qubit_refs": ["left", "right"], "pauli_corrections": ["phase", "parity"]}
        act = [
            circuit(["left", "right"], gates),
            clause("MEAS", {"basis": "Z", "target_qubit": "left"}, result="phase"),
            clause("MEAS", {"basis": "Z", "target_qubit": "right"}, result="parity"),
            send("left.partner", "MSGTRANSFER", HAVING, **results),
            send("right.partner", "MSGTRANSFER", HAVING, **results),
            free("left", "right"),
        ]
        sides = [res(rule.left, "left", order=rule.choice), res(rule.right, "right", order=rule.choice)]
        self._add(self._ready, "swap", sides, act)

    def _delivering(self, rule: DeliverRule) -> None:
        taken = [promote("q", self._ready + 1), *([] if rule.hold else [free("q")])]
        self._add(self._ready, f"deliver {rule.partner}", [res([rule.partner], "q")], taken)

    def _ageing(self) -> None:
        over = [res([], "q"), clause("TIMER", {"timer_id": "cutoff.q"})]
        for stage in range(HAVING, self._ready + 1, 2):
            act = [send("q.partner", "MSGFREE", HAVING, qubit_refs=["q"]), free("q")]
            self._add(stage, "cutoff", over, act)


def _check_rounds(rule: PurifyRule, where: str) -> None:
    """Raises InputError for rounds that stages cannot say."""
    if rule.pumped:
        expected = "rounds between equals: no clause takes halves from two stages"
        raise InputError(f"pumping with {rule.partner}", expected, where)
    if len(rule.rotations) > rule.rounds:
        found = f"{len(rule.rotations)} rotations for {rule.rounds} rounds"
        raise InputError(found, "at most one for each round", where)


def _check_delivery(rule: DeliverRule, where: str) -> None:
    """Raises InputError where more is done with a pair than handing it over (the key of a reading is nobody else's business)."""
    if rule != DeliverRule(rule.partner, rule.hold):
        expected = (
            "pairs that are handed over as they are: no clause has a basis that two nodes choose by a key"
        )
        raise InputError(f"pairs with {rule.partner} that are measured or turned", expected, where)


def _turned(rule: PurifyRule, done: int) -> dict[str, Any]:
    """The circuit of one round: both halves are turned, then CX from the kept one to the sacrificed one."""
    stated = done < len(rule.rotations)
    rotation = rule.rotations[done] if stated else OWN[rule.distillation]
    gates: list[tuple[str, str | None, str]] = [
        (gate if rule.initiator else CONJUGATE[gate], None, name)
        for name, axes in (("keep", rotation.keep), ("sacrifice", rotation.sacrifice))
        for gate in GATES[axes]
    ]
    gates.append(("CX", "keep", "sacrifice"))
    return circuit(["keep", "sacrifice"], gates, protocol=rule.distillation.value, turned=stated)


def _numbered(stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    number = 0
    for stage in stages:
        for rule in stage["rules"]:
            rule["rule_id"] = number
            number += 1
    return stages
