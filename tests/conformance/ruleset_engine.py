"""An engine that executes RuleSets, written from the specification and the conventions of `quantum_fabric.standards.rulesets` alone.

It imports nothing of the program: a RuleSet comes as JSON, what happens comes as calls, and what it decides stands in `decisions` as
(time, what, slots). It is as dumb as it can be: scan all stages from the top, fire the first rule whose conditions hold, scan again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Half:
    """A half that is in a slot."""

    name: str
    slot: int
    partner: str
    far: str
    birth: int
    since: int
    stage: int = 0
    running: bool = False
    measured: bool = False
    broken: bool = False
    variables: dict[str, int] = field(default_factory=dict)
    transfers: list[dict[str, Any]] = field(default_factory=list)


Names = dict[str, Any]


class Engine:
    def __init__(self, ruleset: dict[str, Any]) -> None:
        self.stages = ruleset["stages"]
        assert ruleset["num_stages"] == len(self.stages)
        self.halves: dict[str, Half] = {}
        self.gone: set[str] = set()
        self.timers: dict[tuple[str, str], int] = {}
        self.ringing: tuple[str, str] | None = None
        self.mail: list[dict[str, Any]] = []
        self.suspended: dict[int, tuple[dict[str, Any], int, Names]] = {}
        self.decisions: list[tuple[int, str, tuple[int, ...]]] = []
        self.early: dict[str, list[dict[str, Any]]] = {}
        self.now = 0

    # ------------------------------------------------------------------------------- what happens

    def until(self, now: int) -> None:
        """Timers that run out before a time; those of that very moment run out after all else."""
        while True:
            due = sorted((at, key) for key, at in self.timers.items() if at < now)
            if not due:
                break
            at, key = due[0]
            del self.timers[key]
            self.now, self.ringing = at, key
            self.scan()
            self.ringing = None
        self.now = now

    def heralded(self, name: str, slot: int, partner: str, born: int) -> None:
        self.halves[name] = Half(name, slot, partner, name, born, born)
        for rule in self.stages[0]["rules"]:
            self.fire(0, rule)
        for news in self.early.pop(name, []):
            getattr(self, news.pop("call"))(**news)
        self.scan()

    def transferred(self, mine: str, was: str, partner: str, far: str) -> None:
        half = self.halves.get(mine)
        news = {"was": was, "partner": partner, "far": far}
        if half is None:
            if mine not in self.gone:
                self.early.setdefault(mine, []).append({"call": "transferred", "mine": mine, **news})
            return
        half.transfers.append(news)
        self.follow(half)
        self.scan()

    def follow(self, half: Half) -> None:
        """Take what follows on what is known, unless an outcome is waited for."""
        waits = half.stage > 0 and half.stage % 2 == 0 and not half.running
        news = next((one for one in half.transfers if one["was"] == half.far and not waits), None)
        if news is not None:
            half.transfers.remove(news)
            half.partner, half.far = news["partner"], news["far"]
            if not half.running:
                half.stage = 1
            self.follow(half)

    def freed_by_peer(self, mine: str) -> None:
        half = self.halves.get(mine)
        if half is None:
            if mine not in self.gone:
                self.early.setdefault(mine, []).append({"call": "freed_by_peer", "mine": mine})
        elif half.running:
            half.broken = True
        else:
            self.free(half)
            self.scan()

    def told(self, source: str, names: list[str], stage: int, result: int) -> None:
        self.mail.append({"source": source, "names": names, "stage": stage, "result": result})
        self.scan()

    def done(self, slot: int, results: list[int] | None) -> None:
        """An operation is over, with what its MEAS clauses read; None where it failed."""
        rule, place, names = self.suspended.pop(slot)
        involved = [half for half in names.values() if isinstance(half, Half)]
        for half in involved:
            half.running = False
        for clause in rule["action"]["action_clauses"]:
            if clause["name"] == "MEAS":
                names[clause["arguments"]["target_qubit"]].measured = True
        if results is None or any(half.broken for half in involved):
            for half in involved:
                self.free(half)
        else:
            self.act(rule, place, names, list(results))
        for half in involved:
            if half.name in self.halves:
                self.follow(half)
        self.scan()

    # -------------------------------------------------------------------------------------- rules

    def scan(self) -> None:
        while any(self.fire(stage["stage_id"], rule) for stage in self.stages for rule in stage["rules"]):
            pass

    def fire(self, stage: int, rule: dict[str, Any]) -> bool:
        clauses = rule["condition"]["condition_clauses"]
        names = next(self.holds(stage, clauses, {}), None)
        if names is None:
            return False
        letter = next((one for one in names.values() if isinstance(one, dict)), None)
        if letter is not None:
            self.mail.remove(letter)
        self.act(rule, 0, names, [])
        return True

    def at_rest(self, stage: int, partners: list[str], order: str) -> list[Half]:
        found = [
            half
            for half in self.halves.values()
            if half.stage == stage and not half.running and (not partners or half.partner in partners)
        ]
        sign = -1 if order == "youngest" else 1
        return sorted(found, key=lambda half: (sign * half.since, half.slot))

    def holds(self, stage: int, clauses: list[dict[str, Any]], names: Names) -> Iterator[Names]:
        """Every way to meet these conditions, the preferred first."""
        if not clauses:
            yield names
            return
        clause, rest = clauses[0], clauses[1:]
        arguments, alias = clause["arguments"], clause["alias"]
        kind = clause["name"]
        if kind == "RES":
            assert arguments["resource_type"] == "Bell"
            ready = self.at_rest(stage, arguments["partner_addresses"], arguments.get("order", "oldest"))
            count = arguments["num_resource"]
            assert len(alias["qubits"]) == count
            for start in range(len(ready) - count + 1):
                yield from self.holds(
                    stage, rest, names | dict(zip(alias["qubits"], ready[start : start + count], strict=True))
                )
        elif kind == "RECV":
            for letter in list(self.mail):
                if letter["source"] == arguments["source_address"] and letter["stage"] == stage:
                    yield from self.holds(stage, rest, names | {alias["message"]: letter})
        elif kind == "RESBYNAME":
            found = self.by_name(stage, names[arguments["message"]], names)
            if found is not None:
                yield from self.holds(stage, rest, names | dict(zip(alias["qubits"], found, strict=True)))
        elif kind == "CMP":
            equal = self.value(arguments["variable"], names) == self.value(arguments["value"], names)
            assert arguments["operation"] in ("=", "!=")
            if equal == (arguments["operation"] == "="):
                yield from self.holds(stage, rest, names)
        else:
            assert kind == "TIMER"
            timer = arguments["timer_id"]
            if self.ringing == (names[timer.partition(".")[2]].name, timer):
                yield from self.holds(stage, rest, names)

    def by_name(self, stage: int, letter: dict[str, Any], names: Names) -> list[Half] | None:
        """The halves that a message names, where all are at rest here. Where one is gone, the others are freed and the letter is
        over."""
        if any(name not in self.halves and name not in self.gone for name in letter["names"]):
            return None  # a herald is still on its way
        there = [
            self.halves[name]
            for name in letter["names"]
            if name in self.halves and not self.halves[name].running
        ]
        there = [half for half in there if half.stage % 2 == stage % 2]
        if len(there) < len(letter["names"]):
            self.mail.remove(letter)
            for half in there:
                self.free(half)
            return None
        if any(half.partner != letter["source"] for half in there):
            return None  # word of a swap is still on its way
        if any(half.stage != stage for half in there):
            self.mail.remove(letter)
            for half in there:
                self.free(half)
            return None
        return there

    def value(self, name: str, names: Names) -> int:
        if name in names:
            return int(names[name]["result"])
        qubit, _, _ = name.partition(".")
        return int(names[qubit].variables[name])

    def act(self, rule: dict[str, Any], place: int, names: Names, results: list[int]) -> None:
        clauses = rule["action"]["action_clauses"]
        while place < len(clauses):
            clause = clauses[place]
            arguments, alias = clause["arguments"], clause["alias"]
            kind = clause["name"]
            if kind == "QCIRC":
                self.operate(rule, place, names)
                return
            if kind == "MEAS":
                names = names | {alias["result"]: {"result": results.pop(0)}}
            elif kind == "SET":
                names[arguments["ref_name"].partition(".")[0]].variables[arguments["ref_name"]] = names[
                    arguments["variable"]
                ]["result"]
            elif kind == "SETTIMER":
                half = names[arguments["timer_id"].partition(".")[2]]
                assert arguments["since"] == "birth"
                at = half.birth + 1000 * arguments["nano_sec"] + arguments.get("pico_sec", 0)
                self.timers[half.name, arguments["timer_id"]] = max(self.now, at)
            elif kind == "PROMOTE":
                for name in arguments["qubit_refs"]:
                    self.promote(names[name], arguments["stage_id"])
            elif kind == "FREE":
                for name in arguments["qubit_refs"]:
                    self.free(names[name])
            else:
                assert kind == "SEND"
            place += 1

    def operate(self, rule: dict[str, Any], place: int, names: Names) -> None:
        """Start a circuit; how many halves are measured says which."""
        clauses = rule["action"]["action_clauses"][place + 1 :]
        measured = [names[one["arguments"]["target_qubit"]] for one in clauses if one["name"] == "MEAS"]
        halves = [names[name] for name in rule["action"]["action_clauses"][place]["arguments"]["circ_qubits"]]
        for half in halves:
            half.running = True
        what = "swap" if len(measured) == 2 else "purify"
        self.decisions.append((self.now, what, tuple(half.slot for half in halves)))
        self.suspended[halves[0].slot] = (rule, place + 1, names)

    def promote(self, half: Half, stage: int) -> None:
        if stage % 2 == 0 and self.stages[stage]["rules"]:
            half.since = self.now  # the gate at this end is done
        half.stage = stage
        if stage == len(self.stages) - 1 and not self.stages[stage]["rules"]:
            self.decisions.append((self.now, "deliver", (half.slot,)))
        self.follow(half)

    def free(self, half: Half) -> None:
        last = len(self.stages) - 1
        taken = half.stage == last and not self.stages[last]["rules"]
        if not half.measured and not taken:
            self.decisions.append((self.now, "discard", (half.slot,)))
        del self.halves[half.name]
        self.gone.add(half.name)
        self.timers = {key: at for key, at in self.timers.items() if key[0] != half.name}
