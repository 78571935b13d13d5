"""`qfabric plan`: what was chosen, how it swaps, what lost, and how a refusal speaks."""

from __future__ import annotations

import json
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

from quantum_fabric.cli.plan import swap_tree
from quantum_fabric.messages import Distillation, Forecast, Join, LinkPlan, Order, Plan


def plan(order: Order, joins: tuple[Join, ...], end_rounds: int = 0) -> Plan:
    path = ("A", "B", "C", "D")
    links = tuple(LinkPlan(f"{a}~{b}", a, b, 1, None, int(a == "A"), 0.1, 10, 0.9) for a, b in pairwise(path))
    forecast = Forecast(1.0, 0.0, 0.9, 0.9, 10)
    return Plan(path, links, order, joins, end_rounds, Distillation.DEJMPS, None, forecast)


def drawn(plan: Plan) -> list[str]:
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(swap_tree(plan))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_a_nested_order_is_a_tree_of_its_segments() -> None:
    joins = (Join("B", "A", "C", 1), Join("C", "A", "D", 2))
    assert drawn(plan(Order.NESTED, joins, 2)) == [
        "A – D  swap at C  2 rounds of purification",
        "├── A – C  swap at B  1 round of purification",
        "│   ├── A – B  1 round of purification",
        "│   └── B – C",
        "└── C – D",
    ]


def test_as_soon_as_possible_has_no_order() -> None:
    joins = (Join("B", "A", "D"), Join("C", "A", "D"))
    assert drawn(plan(Order.ASAP, joins, 1)) == [
        "A – D  1 round of purification",
        "└── swap as soon as both sides are there, at B, C",
        "    ├── A – B  1 round of purification",
        "    ├── B – C",
        "    └── C – D",
    ]


def test_a_plan_on_the_bundled_network(qfabric) -> None:
    result = qfabric("plan", "chicago", "NU", "UChicago_PME", "--fidelity", "0.9")
    assert result.code == 0
    for text in (
        "NU – StarLight – UChicago_PME",
        "expected:",
        "swap order:",
        "cutoff:",
        "Lanes",
        "what lost",
        "Why not",
    ):
        assert text in result.words


def test_a_setting_of_a_link_has_its_name(qfabric) -> None:
    assert "bright_population" in qfabric("plan", "lab", "Alice", "Bob", "-f", "0.7").out


def test_a_refusal_has_a_reason_and_an_offer_that_is_accepted(qfabric) -> None:
    refused = qfabric("plan", "lab", "Alice", "Bob", "-f", "0.99")
    assert refused.code == 1
    for text in (
        "refused (UNSUPP)",
        "what binds: link Alice~Bob",
        "would be accepted: fidelity",
        "closest that was found",
    ):
        assert text in refused.words
    line = next(line for line in refused.out.splitlines() if line.strip().startswith("qfabric plan"))
    assert qfabric(*line.split()[1:]).code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lab", "Alice", "Bob", "-f", "1.5"], "--fidelity: found 1.5, expected a fidelity in (0.5, 1)"),
        (["lab", "Alice", "Bob", "-f", "0.5"], "--fidelity: found 0.5"),
        (["lab", "Alice", "Bob", "-f", "nan"], "--fidelity: found nan"),
        (["lab", "Alice", "Bob", "-f", "0.7", "--pairs", "0"], "--pairs: found 0, expected at least 1 pair"),
        (["lab", "Alice", "Bob", "-f", "0.7", "--rate", "-1"], "--rate: found -1.0"),
        (
            ["lab", "Alice", "Alice", "-f", "0.7"],
            "DESTINATION: found Alice, expected a node other than the source",
        ),
        (["lab", "Alice", "Carol", "-f", "0.7"], "destination: found 'Carol', expected one of Alice, Bob"),
        (["nowhere", "Alice", "Bob", "-f", "0.7"], "no such file"),
        (["lab", "Alice", "Bob"], "Missing option '--fidelity'"),
    ],
)
def test_what_is_wrong_is_said(qfabric, arguments: list[str], message: str) -> None:
    result = qfabric("plan", *arguments)
    assert result.code == 2
    assert message in result.words
    assert "Traceback" not in result.err


def test_the_law_of_a_plan_in_numbers_and_as_a_figure(qfabric, tmp_path: Path) -> None:
    result = qfabric(
        "plan",
        "lab",
        "Alice",
        "Bob",
        "-f",
        "0.7",
        "-n",
        "5",
        "--deadline",
        "10 s",
        "--law",
        "--figure",
        "law.svg",
    )
    assert result.code == 0
    for text in (
        "First pair by",
        "5 pairs by",
        "99.9 %",
        "method: closed form",
        "cannot exceed",
        "probability 1",
        "law.svg",
    ):
        assert text in result.words
    assert (tmp_path / "law.svg").read_text(encoding="utf-8").startswith("<?xml")
    refused = qfabric("plan", "lab", "Alice", "Bob", "-f", "0.7", "--figure", "law.txt")
    assert refused.code == 2
    assert "--figure: found 'law.txt', expected a file that ends with" in refused.words


def test_a_plan_as_json_is_what_the_journal_has(qfabric) -> None:
    result = qfabric("plan", "lab", "Alice", "Bob", "-f", "0.7", "--json")
    shape = json.loads(result.out)
    law = shape["chosen"]["forecast"]["law"]
    assert (law["type"], law["method"], law["reasons"]) == ("DeliveryLaw", "closed form", [])
    assert len(law["times"]) == len(law["shares"]) == len(law["fidelities"]) > 20
    assert law["times"] == sorted(law["times"])
    assert law["shares"] == sorted(law["shares"])
    assert shape["alternatives"][0]["plan"]["forecast"]["law"] is None
    refused = qfabric("plan", "lab", "Alice", "Bob", "-f", "0.99", "--json")
    assert refused.code == 1
    assert json.loads(refused.out)["chosen"]["code"] == "UNSUPP"


def test_a_deadline_must_be_met_with_confidence(qfabric) -> None:
    """A mean that is in time is not enough; what is offered instead is accepted."""
    found = json.loads(qfabric("plan", "lab", "Alice", "Bob", "-f", "0.7", "--json").out)["chosen"][
        "forecast"
    ]
    mean = f"{1.05 * found['latency'] / 1e9} ms"
    refused = qfabric("plan", "lab", "Alice", "Bob", "-f", "0.7", "--deadline", mean)
    assert refused.code == 1
    assert "with 95% confidence" in refused.words
    line = next(line for line in refused.out.splitlines() if line.strip().startswith("qfabric plan"))
    assert qfabric(*shlex.split(line)[1:]).code == 0
