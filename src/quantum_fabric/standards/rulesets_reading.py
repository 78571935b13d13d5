"""A RuleSet from anybody, as rules that our node agents act on; what they cannot do is named, clause by clause.

The reader looks for what it knows in the clauses (who is purified with, what is swapped, when a half is let go, to whom it is handed),
makes rules of it, writes these down again with `quantum_fabric.standards.rulesets` and compares: what is left over, or different, is
something that our agents would not do, and is refused where it stands. Names for people, numbers of rules, tags and the names of
aliases
do not matter; the order of clauses within a rule does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from quantum_fabric.errors import InputError
from quantum_fabric.messages import (
    Choice,
    CutoffRule,
    DeliverRule,
    Distillation,
    PurifyRule,
    Rotation,
    Rule,
    SwapRule,
)
from quantum_fabric.standards import reading
from quantum_fabric.standards.rulesets import CONJUGATE, GATES, HAVING, OWN, Ground, ruleset
from quantum_fabric.units import NS

MOST: Final = 256
"""Stages of a RuleSet, rules of a stage, clauses of a rule, partners of a clause: no more than this is read."""

CONDITIONS: Final = ("RES", "RESBYNAME", "CMP", "RECV", "TIMER")
ACTIONS: Final = ("QCIRC", "MEAS", "SET", "SETTIMER", "PROMOTE", "FREE", "SEND")
"""Clauses that our agents can act on. Of the specification's, ANC (they have no ancillas) and GET (they need none) are missing."""

Clause = Mapping[str, Any]


class _Part:
    """One rule of a RuleSet, checked for shape."""

    def __init__(self, shape: object, stage: int, place: int) -> None:
        where = f"stage {stage}, rule {place}"
        top = reading.fields(
            shape, ("condition", "action"), where, ("rule_id", "name", "send_tag", "receive_tag")
        )
        self.stage, self.where = stage, where
        self.conditions = list(_clauses(top["condition"], "condition", CONDITIONS, where))
        self.actions = list(_clauses(top["action"], "action", ACTIONS, where))

    def all(self, name: str) -> list[tuple[str, Clause]]:
        """(Where, clause) of every clause of that name."""
        both = ((f"{self.where}, condition", self.conditions), (f"{self.where}, action", self.actions))
        return [
            (f"{where} {place} ({name})", each)
            for where, rows in both
            for place, each in enumerate(rows)
            if each["name"] == name
        ]

    def plain(self) -> tuple[object, ...]:
        """The rule with its aliases numbered in the order in which they are given."""
        names: dict[str, str] = {}
        for each in (*self.conditions, *self.actions):
            for value in each["alias"].values():
                for name in value if isinstance(value, list) else [value]:
                    names.setdefault(str(name), f"v{len(names)}")
        rows = (*self.conditions, {"name": "|"}, *self.actions)
        return tuple(_renamed({key: each[key] for key in each if key != "alias"}, names) for each in rows)


def _clauses(shape: object, kind: str, known: tuple[str, ...], where: str) -> Iterator[Clause]:
    where = f"{where}, {kind}"
    top = reading.fields(shape, (f"{kind}_clauses",), where, ("name", "num_clauses"))
    for place, each in enumerate(reading.entries(top[f"{kind}_clauses"], MOST, where)):
        here = f"{where} {place}"
        row = reading.fields(each, ("name", "arguments"), here, ("alias",))
        if row["name"] not in known:
            raise InputError(
                reading.shown(row["name"]), f"what our agents can do: {', '.join(known)}", here
            )  # fmt: skip
        alias = row.get("alias", {})
        if not isinstance(row["arguments"], Mapping) or not isinstance(alias, Mapping):
            raise InputError(reading.shown(each), "arguments and alias as objects", here)
        yield {"name": row["name"], "arguments": _one_spelling(row["arguments"]), "alias": alias}


def _one_spelling(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The specification's text has lists where its examples have one text: the lists."""
    found = dict(arguments)
    if "partner_address" in found:
        found["partner_addresses"] = [found.pop("partner_address")]
    if isinstance(found.get("qubit_refs"), str):
        found["qubit_refs"] = [found["qubit_refs"]]
    return found


def _renamed(value: object, names: Mapping[str, str]) -> object:
    """A value with aliases replaced, also where they begin a dotted name; as something that can be compared."""
    if isinstance(value, Mapping):
        return tuple(
            (key, _renamed(value[key], names)) for key in sorted(value) if key not in ("protocol", "turned")
        )
    if isinstance(value, list):
        return tuple(_renamed(each, names) for each in value)
    if isinstance(value, str):
        parts = [names.get(part, part) for part in value.split(".")]
        return ".".join(parts)
    return value


def rules_of(shape: object, ground: Ground) -> tuple[Rule, ...]:
    """The rules of the node that a RuleSet is for.

    Args:
        shape: what JSON says.
        ground: what the node knows by itself; a partner that it knows nothing of is refused.

    Returns:
        Those that generate first, then purification, swap, cutoff, delivery.

    Raises:
        InputError: a shape that is no RuleSet, or a clause that our agents cannot act on; it names stage, rule and clause.

    Examples:
        >>> from quantum_fabric.standards.rulesets import ground_of
        >>> rules = (SwapRule(("A",), ("C",)),)
        >>> rules_of(ruleset(rules, "B", 7), ground_of(rules)) == rules
        True
        >>> rules_of({"stages": []}, ground_of([]))
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.InputError: RuleSet: found no 'ruleset_id', expected the fields ruleset_id, owner_address, stages
    """
    top = reading.fields(
        shape, ("ruleset_id", "owner_address", "stages"), "RuleSet", ("num_stages", "checksum")
    )
    owner = reading.text(top["owner_address"], "RuleSet.owner_address")
    number = reading.integer(top["ruleset_id"], 0, 2**63 - 1, "RuleSet.ruleset_id")
    parts, count = _parts(top)
    rules: list[Rule] = [*ground.generate, *_purifications(parts, ground)]
    rules += [*_swaps(parts), *_cutoffs(parts), *_deliveries(parts, count)]
    _compare(parts, count, ruleset(rules, owner, number))
    return tuple(rules)


def _parts(top: Mapping[str, Any]) -> tuple[list[_Part], int]:
    parts: list[_Part] = []
    stages = reading.entries(top["stages"], MOST, "RuleSet.stages")
    for place, shape in enumerate(stages):
        stage = reading.fields(shape, ("stage_id", "rules"), f"stage {place}")
        if stage["stage_id"] != place:
            raise InputError(
                reading.shown(stage["stage_id"]), f"{place}, its place", f"stage {place}.stage_id"
            )
        rows = reading.entries(stage["rules"], MOST, f"stage {place}")
        parts += [_Part(row, place, number) for number, row in enumerate(rows)]
    if top.get("num_stages", len(stages)) != len(stages):
        raise InputError(reading.shown(top["num_stages"]), f"{len(stages)}", "RuleSet.num_stages")
    return parts, len(stages)


def _partners(row: Clause, where: str) -> tuple[str, ...]:
    arguments = reading.fields(
        row["arguments"], ("resource_type", "num_resource", "partner_addresses"), where, ("order",)
    )
    if arguments["resource_type"] != "Bell":
        raise InputError(
            reading.shown(arguments["resource_type"]), "'Bell': slots hold halves of pairs", where
        )
    reading.integer(arguments["num_resource"], 1, 2, f"{where}.num_resource")
    found = reading.entries(arguments["partner_addresses"], MOST, f"{where}.partner_addresses")
    return tuple(reading.text(name, f"{where}.partner_addresses") for name in found)


def _purifications(parts: list[_Part], ground: Ground) -> list[Rule]:
    rounds: dict[str, dict[int, tuple[_Part, bool]]] = {}
    for part in parts:
        if len(part.all("QCIRC")) != 1 or len(part.all("MEAS")) != 1:
            continue
        heard = part.all("RECV")
        if heard:
            partner = reading.text(heard[0][1]["arguments"].get("source_address"), heard[0][0])
        else:
            partners = [name for where, row in part.all("RES") for name in _partners(row, where)]
            if len(partners) != 1:
                raise InputError(
                    reading.shown(partners), "one partner to purify with", f"{part.where}, condition"
                )
            (partner,) = partners
        rounds.setdefault(partner, {})[(part.stage - HAVING) // 2] = (part, not heard)
    found: list[Rule] = []
    for partner, by_round in rounds.items():
        first = by_round[min(by_round)][0].where
        if sorted(by_round) != list(range(len(by_round))):
            raise InputError(
                f"rounds {sorted(by_round)} with {partner}", "each round from the first on", first
            )
        calibration = ground.calibrations.get(partner)
        if calibration is None:
            raise InputError(repr(partner), "a partner of which the node believes something", first)
        turns = [_rotation(*by_round[done]) for done in range(len(by_round))]
        kind = turns[0][0]
        stated = tuple(rotation for _, rotation, said in turns if said)
        found.append(PurifyRule(partner, len(by_round), kind, by_round[0][1], calibration, stated))
    return found


def _rotation(part: _Part, initiator: bool) -> tuple[Distillation, Rotation, bool]:
    """(Protocol, how the two are turned, whether that is said or the protocol's own way) of one round."""
    where, row = part.all("QCIRC")[0]
    arguments = reading.fields(row["arguments"], ("circ_qubits", "qgates"), where, ("protocol", "turned"))
    gates: dict[str, list[str]] = {}
    joined: tuple[str, str] | None = None
    for place, each in enumerate(reading.entries(arguments["qgates"], MOST, where)):
        here = f"{where}, gate {place}"
        gate = reading.fields(reading.fields(each, ("name", "arguments"), here, ("alias",))["arguments"],
            ("operation", "control_qubit", "target_qubit"), here)  # fmt: skip
        target = reading.text(gate["target_qubit"], here)
        if gate["operation"] == "CX":
            joined = (reading.text(gate["control_qubit"], here), target)
        else:
            gates.setdefault(target, []).append(reading.text(gate["operation"], here))
    if joined is None:
        raise InputError("no CX", "a CX from the kept half to the sacrificed one", where)
    mirror = {value: key for key, value in CONJUGATE.items()}
    axes = []
    for name in joined:
        turn = tuple(each if initiator else mirror.get(each, each) for each in gates.get(name, ()))
        fits = [one for one, written in GATES.items() if written == turn]
        if not fits:
            known = ", ".join("-".join(written) or "nothing" for written in GATES.values())
            raise InputError("-".join(turn), f"one of the turns {known}", where)
        axes.append(fits[0])
    return _protocol(arguments, Rotation(axes[0], axes[1]), where)


def _protocol(
    arguments: Mapping[str, Any], rotation: Rotation, where: str
) -> tuple[Distillation, Rotation, bool]:
    if "protocol" in arguments:
        names = {kind.value: kind for kind in Distillation}
        kind = names.get(arguments["protocol"]) if isinstance(arguments["protocol"], str) else None
        if kind is None:
            raise InputError(reading.shown(arguments["protocol"]), f"one of {', '.join(names)}", where)
        stated = reading.flag(arguments.get("turned", rotation != OWN[kind]), f"{where}.turned")
        return kind, rotation, stated
    kind = next((kind for kind, own in OWN.items() if own == rotation), Distillation.DEJMPS)
    return kind, rotation, rotation != OWN[kind]


def _swaps(parts: list[_Part]) -> list[Rule]:
    found: list[Rule] = []
    for part in parts:
        if len(part.all("MEAS")) != 2:
            continue
        sides = part.all("RES")
        if len(sides) != 2:
            raise InputError(f"{len(sides)} RES", "two, one for each side", f"{part.where}, condition")
        left, right = (_partners(row, where) for where, row in sides)
        orders = {row["arguments"].get("order", Choice.OLDEST.value) for _, row in sides if _hashable(row)}
        choices = [choice for choice in Choice if {choice.value} == orders]
        if not choices:
            known = ", ".join(choice.value for choice in Choice)
            raise InputError(reading.shown(orders), f"one order for both sides: {known}", sides[0][0])
        found.append(SwapRule(left, right, choices[0]))
    return found


def _hashable(row: Clause) -> bool:
    return isinstance(row["arguments"].get("order", ""), str)


def _cutoffs(parts: list[_Part]) -> list[Rule]:
    ages: set[int] = set()
    for part in parts:
        for where, row in part.all("SETTIMER"):
            timer = reading.fields(row["arguments"], ("nano_sec", "timer_id"), where, ("pico_sec", "since"))
            nanos = reading.integer(timer["nano_sec"], 0, 2**62 // NS, f"{where}.nano_sec")
            ages.add(nanos * NS + reading.integer(timer.get("pico_sec", 0), 0, NS - 1, f"{where}.pico_sec"))
    if len(ages) > 1:
        raise InputError(f"timers of {sorted(ages)} ps", "one age at which halves are let go", "SETTIMER")
    return [CutoffRule(age) for age in ages]


def _deliveries(parts: list[_Part], count: int) -> list[Rule]:
    """Who hands pairs over: promotes them into the last stage, which has no rules."""
    if any(part.stage == count - 1 for part in parts):
        return []
    found: list[Rule] = []
    for part in parts:
        last = any(row["arguments"].get("stage_id") == count - 1 for _, row in part.all("PROMOTE"))
        if last and part.stage != count - 1:
            partners = [name for where, row in part.all("RES") for name in _partners(row, where)]
            if len(partners) != 1:
                raise InputError(
                    reading.shown(partners), "one partner to deliver with", f"{part.where}, condition"
                )
            found.append(DeliverRule(partners[0], not part.all("FREE")))
    return found


def _compare(parts: list[_Part], count: int, ours: Mapping[str, Any]) -> None:
    """Whether what our agents would do is what was asked for, rule by rule."""
    again, stages = _parts(ours)
    if stages != count:
        raise InputError(f"{count} stages", f"{stages} for these rules", "RuleSet.stages")
    for stage in range(count):
        mine = [part for part in again if part.stage == stage]
        for part in (part for part in parts if part.stage == stage):
            twin = next((each for each in mine if each.plain() == part.plain()), None)
            if twin is None:
                raise InputError(*_difference(part, mine))
            mine.remove(twin)
        if mine:
            names = ", ".join(clause["name"] for part in mine for clause in part.actions)
            raise InputError("no such rule", f"a rule that does {names}", f"stage {stage}")


def _difference(part: _Part, mine: list[_Part]) -> tuple[str, str, str]:
    """(Found, expected, where) of the first clause in which a rule departs from the nearest of ours."""
    theirs = part.plain()

    def alike(other: _Part) -> int:
        ours = other.plain()
        same = (place for place, (a, b) in enumerate(zip(theirs, ours, strict=False)) if a != b)
        return next(same, min(len(theirs), len(ours)))

    nearest = max(mine, key=alike, default=None)
    if nearest is None:
        return (
            f"the rule {[row['name'] for row in part.actions]}",
            "no further rule in this stage",
            part.where,
        )
    place = alike(nearest)
    rows = [*part.conditions, {"name": "the end of the conditions", "arguments": {}}, *part.actions]
    ours = [*nearest.conditions, {"name": "the end of the conditions", "arguments": {}}, *nearest.actions]
    found = reading.shown(_said(rows, place))
    kind = "condition" if place <= len(part.conditions) else "action"
    number = place if kind == "condition" else place - len(part.conditions) - 1
    return (
        found,
        f"what our agents do there: {reading.shown(_said(ours, place))}",
        f"{part.where}, {kind} {number}",
    )


def _said(rows: list[Any], place: int) -> str:
    if place >= len(rows):
        return "nothing more"
    return f"{rows[place]['name']} {dict(rows[place]['arguments'])}"


__all__ = ["ACTIONS", "CONDITIONS", "MOST", "rules_of"]
