"""Which representation of states is exact for which scenario."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quantum_fabric import ensemble
from quantum_fabric.devices import Gates, Memory, Node
from quantum_fabric.documents import Inventory, LinkEntry
from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.links.model import HeraldOutcome
from quantum_fabric.messages import (
    Distillation,
    Forecast,
    LinkPlan,
    LinkRequest,
    Order,
    Plan,
    Rotation,
    Turning,
)
from quantum_fabric.messages.states import Axes
from quantum_fabric.montecarlo import Scenario
from quantum_fabric.montecarlo.representations import chosen, mean_values, prepared
from quantum_fabric.physics.instruments import bell_mixture
from random_networks import SingleClicks, Tilted

WEIGHTS = (0.9, 0.05, 0.03, 0.02)
PLAIN = FixedLink(0.5, WEIGHTS, 1000)
CLICKS = SingleClicks(0.5, WEIGHTS, 1000)
TILTED = Tilted(0.5, WEIGHTS, 1000)
STEADY = Memory(t2=1.0)
RELAXING = Memory(t1=1.0, t2=1.0)
LOPSIDED = Gates(readout_error_0=0.01, readout_error_1=0.03)


def scenario(
    states: str,
    link: FixedLink = PLAIN,
    node: Node | None = None,
    other: Node | None = None,
    kind: Distillation | None = None,
    turned: Rotation | None = None,
    rounds: int = 1,
) -> Scenario:
    """Two nodes and a link, on request with a purification."""
    nodes = {"A": node or Node(memory=STEADY, slots=4), "B": other or node or Node(memory=STEADY, slots=4)}
    inventory = Inventory(
        nodes=nodes, links={"A~B": LinkEntry("A~B", "A", "B", link, 1.0, 1000)}, delays={("A", "B"): 1000, ("B", "A"): 1000},
        controller="A", positions={}, title="two", relays=frozenset(nodes), states=states,
    )  # fmt: skip
    plan = Plan(
        path=("A", "B"), links=(LinkPlan("A~B", "A", "B", 3, None, rounds if kind else 0, 0.1, 1, 0.9),), order=Order.ASAP,
        joins=(), end_rounds=0, distillation=kind or Distillation.DEJMPS, cutoff=None,
        forecast=Forecast(1000.0, 0.0, 0.9, 0.9, 10**9), turnings=(Turning("A", "B", (turned,)),) if turned else (), pumped=False,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quantum_fabric.control.controller.make_plan", lambda *_, **__: plan)
        return ensemble.scenario(inventory, [(0, LinkRequest("A", "B", 0.6))])


RELAX: dict[str, Any] = {"node": Node(memory=RELAXING, slots=4)}
DEJMPS: dict[str, Any] = {"kind": Distillation.DEJMPS}
BBPSSW: dict[str, Any] = {"kind": Distillation.BBPSSW}
ODD: dict[str, Any] = {"node": Node(memory=STEADY, gates=LOPSIDED, slots=4)}
HALF_ODD: dict[str, Any] = {**ODD, "other": Node(memory=STEADY, slots=4)}
BOTH_OFF: dict[str, Any] = {"turned": Rotation(Axes.ZYX, Axes.XZY)}
ONE_OFF: dict[str, Any] = {"turned": Rotation(Axes.YXZ, Axes.XZY)}


@pytest.mark.parametrize(
    ("expected", "made"),
    [
        ("bell-diagonal", {}),
        ("bell-diagonal", DEJMPS),
        ("x", RELAX),
        ("x", {**RELAX, **BBPSSW}),
        ("exact", {**RELAX, **DEJMPS}),
        ("exact", {**RELAX, **BBPSSW, **BOTH_OFF}),
        ("x", {**RELAX, **DEJMPS, **ONE_OFF}),
        ("exact", {**RELAX, **DEJMPS, **ONE_OFF, "rounds": 2}),  # the second round is the protocol's own
        ("bell-diagonal", ODD),
        ("bell-diagonal", {**HALF_ODD, **DEJMPS}),
        ("exact", {**ODD, **DEJMPS}),
        ("x", {**ODD, **BBPSSW}),
        ("x", {"link": CLICKS}),
        ("exact", {"link": CLICKS, **DEJMPS}),
        ("exact", {"link": TILTED}),
    ],
)
def test_what_auto_chooses(expected: str, made: dict[str, Any]) -> None:
    found = scenario("auto", **made)
    assert found.states == expected
    assert found.digest == scenario(expected, **made).digest
    if expected == "exact":
        with pytest.raises(InputError, match="states x, but"):
            scenario("x", **made)
    elif expected == "x":
        assert scenario("x", **made).plant["outcomes"].shape[1] == 8  # type: ignore[union-attr]


def test_the_table_of_heralds_follows_the_representation() -> None:
    tables = {
        states: np.asarray(scenario(states, CLICKS).plant["outcomes"])
        for states in ("bell-diagonal", "x", "exact")
    }
    assert {states: table.shape for states, table in tables.items()} == {
        "bell-diagonal": (2, 4),
        "x": (2, 8),
        "exact": (2, 17),
    }
    assert np.array_equal(tables["x"][:, [0, 1, 2, 3]], tables["exact"][:, [0, 13, 4, 16]])
    correlators = tables["exact"][:, [6, 11, 16]]  # xx, yy, zz
    signs = [[1, 1, -1], [-1, -1, -1]]  # of Ψ+ and Ψ-
    assert correlators * signs == pytest.approx(tables["bell-diagonal"][:, 1:], abs=1e-12)


def test_mean_values_of_a_bell_mixture_and_of_its_matrix_are_the_same() -> None:
    for label in range(4):
        entries = tuple(bell_mixture(WEIGHTS, label).reshape(16).tolist())
        plain = HeraldOutcome(label, 0.5, WEIGHTS)
        assert mean_values(plain) == pytest.approx(mean_values(replace(plain, state=entries)), abs=1e-12)
        assert chosen("auto", {}, [], [replace(plain, state=entries)]) == "bell-diagonal"


def test_mean_values_are_traces() -> None:
    """By hand, for a state with populations of |01>, |10> and |11> and a coherence between the first two."""
    rho = np.diag([0.0, 0.7, 0.2, 0.1]).astype(complex)
    rho[1, 2], rho[2, 1] = 0.1j, -0.1j
    found = dict(
        zip([a + b for a in "ixyz" for b in "ixyz"], mean_values(HeraldOutcome(2, 0.5, WEIGHTS, tuple(rho.reshape(16)))),
            strict=True)
    )  # fmt: skip
    assert found["zi"] == pytest.approx(0.4)  # 0.7 - 0.2 - 0.1
    assert found["iz"] == pytest.approx(-0.6)  # 0.2 - 0.7 - 0.1
    assert found["zz"] == pytest.approx(-0.8)
    assert found["xx"] == pytest.approx(0.0)
    # X⊗Y = [[·, -i], [i, ·]] in each block: Tr = 2 Re(ρ[01,10] (X⊗Y)[10,01]) with (X⊗Y)[10,01] = <1|X|0><0|Y|1> = -i
    assert found["xy"] == pytest.approx(0.2)
    assert found["yx"] == pytest.approx(-0.2)


@pytest.mark.parametrize(
    "entries",
    [(0.5, *[0.0] * 15), (0.5, 0.1, *[0.0] * 13, 0.5), (0.5, 0.1, 0.0, 0.0, -0.1, *[0.0] * 10, 0.5)],
)
def test_what_is_no_density_matrix_is_refused(entries: tuple[complex, ...]) -> None:
    with pytest.raises(InputError, match="Hermitian matrix of trace 1"):
        prepared(HeraldOutcome(0, 0.5, WEIGHTS, entries), "exact")


def test_a_state_that_is_no_x_state_is_refused() -> None:
    entries = (0.5, 0.1, 0.0, 0.0, 0.1, *[0.0] * 10, 0.5)
    with pytest.raises(InputError, match="expected an X-state"):
        prepared(HeraldOutcome(0, 0.5, WEIGHTS, entries), "x")
    with pytest.raises(InputError, match="has other entries"):
        chosen("x", {}, [], [HeraldOutcome(0, 0.5, WEIGHTS, entries)])


def test_another_name_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="bell-diagonal, x, exact or auto"):
        scenario("dense")
