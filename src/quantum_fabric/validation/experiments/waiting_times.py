"""Row 2: exact waiting times, by solver against tables and by the whole stack (planner, agents, twin) against the solver.

Convention of the exact results: integer steps; a link needs Geometric(p) steps; swaps and messages take no time; a failed
swap destroys both inputs and generation starts again at the next step. The twin is brought to it by links that are born when
an attempt starts and heard one step later, without classical delay or swap time. The plans are the planner's own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from quantum_fabric.devices import Gates, Memory, Node
from quantum_fabric.documents import Inventory, LinkEntry
from quantum_fabric.errors import StateError
from quantum_fabric.fabric import Fabric
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.messages import Accepted, LinkRequest, Plan, Truth
from quantum_fabric.network import absorption, waiting
from quantum_fabric.physics.checks import Floats
from quantum_fabric.units import SECOND, US, Time
from quantum_fabric.validation.chain_laws import Chain, chi_square, law, normal_deviate
from quantum_fabric.validation.comparison import Predicted, Prediction, Values
from quantum_fabric.validation.drawing import MEASURED, MODEL, NULL
from quantum_fabric.validation.experiment import Experiment
from quantum_fabric.validation.watching import watcher

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quantum_fabric.validation.experiment import Result

STEP: Final[Time] = US
TAU: Final = 20
"""Steps in which a waiting pair of the chain with a cutoff loses a factor e of its correlators."""

PARTS: Final = 4
"""Each chain's runs are made in so many independent parts."""

HALF, THIRD, QUARTER, FIFTH, TENTH = (Fraction(1, n) for n in (2, 3, 4, 5, 10))


CHAINS: Final = (
    Chain("two", (HALF, HALF)),
    Chain("unequal_three", (HALF, THIRD, FIFTH)),
    Chain("asap_three", (HALF,) * 3, Fraction(3, 4), leftmost_first=True),
    Chain("nested_four", (HALF,) * 4, Fraction(3, 4)),
    Chain("two_cutoff", (TENTH, TENTH), memory=2.0 * TAU),
)


@dataclass(frozen=True, slots=True)
class Runs:
    """What one part of the runs of a chain gave.

    Attributes:
        chain: its name.
        counts: deliveries that took 0, 1, 2, ... steps.
        kept: sum, and sum of squares, of the correlator that was left, in units of a fresh pair.
        cutoff: of the plan, in whole steps that the first link may wait; -1 for none.
    """

    chain: str
    counts: Floats
    kept: tuple[float, float]
    cutoff: int


def sample(values: Values, piece: int) -> Runs:
    """One part of the runs of one chain: pairs of one long request, each a fresh start of the chain."""
    chain, part = CHAINS[piece // PARTS], piece % PARTS
    count = int(values["runs"]) // PARTS
    fabric = Fabric(network(chain), seed=int(values["seed"]) + piece)
    times: list[Time] = [0]
    kept = [0.0, 0.0]
    fresh = (
        math.exp(-2.0 / TAU) if math.isfinite(chain.memory) else 1.0
    )  # each pair is heard one step after its birth

    def note(time: Time, _place: str, message: Any) -> None:
        times.append(time)
        correlator = (4.0 * message.weights[0] - 1.0) / 3.0 / fresh
        kept[0] += correlator
        kept[1] += correlator**2

    fabric.watch(watcher(note), Truth)
    request = LinkRequest("A", "ABCDE"[len(chain.successes)], 0.500001, pairs=count, name=f"part-{part}")
    fabric.submit(request)
    fabric.run(100_000 * SECOND, stop=lambda: len(times) > count)
    plan = next(reply.plan for reply in fabric.replies(request.name) if isinstance(reply, Accepted))
    cutoff = _check(plan, chain)
    steps = np.diff(np.array(times, dtype=np.int64)[: count + 1] // STEP)
    return Runs(chain.name, np.bincount(steps).astype(np.float64), (kept[0], kept[1]), cutoff)


def network(chain: Chain) -> Inventory:
    """The chain as a network whose every number is known.

    Examples:
        >>> sorted(network(CHAINS[0]).nodes)
        ['A', 'B', 'C']
    """
    count = len(chain.successes)
    names = "ABCDE"[: count + 1]
    lifetime = chain.memory * STEP / SECOND
    node = Node(memory=Memory(lifetime, lifetime), gates=Gates(swap_success=float(chain.swap)), slots=2)
    entries = {}
    for index, (a, b, success) in enumerate(zip(names, names[1:], chain.successes, strict=False)):
        late = 1 if chain.leftmost_first and 0 < index < count - 1 else 0
        born = (2, 2) if chain.leftmost_first else (0, 0)
        model = FixedLink(float(success), (1.0, 0.0, 0.0, 0.0), STEP, born=born, heard=(STEP, STEP + late))
        entries[f"{a}~{b}"] = LinkEntry(f"{a}~{b}", a, b, model, 0.0, 0)
    delays = {(a, b): 0 for a in names for b in names}
    return Inventory(dict.fromkeys(names, node), entries, delays, "A", {}, chain.name, frozenset(names))


def _check(plan: Plan, chain: Chain) -> int:
    """The plan must be the one that the exact result is about; returns the steps that a link may wait, -1 for ever."""
    plain = all(link.lanes == 1 and link.rounds == 0 for link in plan.links) and plan.end_rounds == 0
    whole = plan.cutoff is None or (plan.cutoff % STEP == 0 and plan.cutoff > 0)
    if not plain or not whole or (plan.cutoff is not None and math.isinf(chain.memory)):
        raise StateError(f"the planner chose another plan for {chain.name} than the exact result is about")
    # a half is born one step before it is heard, and the cutoff counts from its birth
    return -1 if plan.cutoff is None else plan.cutoff // STEP - 1


def predict(values: Values, samples: Sequence[Any]) -> Prediction:
    """Solver against tables; means and laws of the runs."""
    found = {name: Predicted(max(each)) for name, each in solved(values).items()}
    for chain in CHAINS:
        parts = [each for each in samples if each.chain == chain.name]
        counts = _added([part.counts for part in parts])
        steps, runs = np.arange(counts.size), counts.sum()
        mean = float((counts * steps).sum() / runs)
        spread = math.sqrt(float((counts * (steps - mean) ** 2).sum() / (runs - 1)))
        found[f"twin_{chain.name}"] = Predicted(mean, spread / math.sqrt(runs))
        found[f"law_{chain.name}"] = Predicted(
            normal_deviate(*chi_square(counts, law(chain, parts[0].cutoff, 4000)))
        )
        if math.isfinite(chain.memory):
            total, squares = (sum(part.kept[i] for part in parts) / runs for i in (0, 1))
            found["twin_decay"] = Predicted(total, math.sqrt((squares - total**2) / runs))
    return found


def solved(values: Values) -> dict[str, list[float]]:
    """Relative deviation of each table entry from the solver: table -> deviations."""
    found: dict[str, list[float]] = {}

    def add(table: str, exact: float | Fraction, entry: float) -> None:
        found.setdefault(table, []).append(abs(float(exact) / entry - 1.0))

    for name, entry in values.items():
        match name.split("_"):
            case ["parallel", p, n, "mean"]:
                add("parallel_mean", waiting.parallel_mean(Fraction(p), int(n)), entry)
            case ["parallel", p, n, "std"]:
                add("parallel_std", waiting.parallel_std(Fraction(p), int(n)), entry)
            case ["nested", p, q, levels]:
                add("nested", waiting.nested_mean(float(p), float(q), int(levels)), entry)
                if levels == "2":
                    add("nested_markov", absorption.nested_four_mean(Fraction(p), Fraction(q)), entry)
            case ["asap3", p, q]:
                add("asap", absorption.swap_asap_mean([Fraction(p)] * 3, Fraction(q)), entry)
            case ["decay", p, tau]:
                add("decay", waiting.decay(Fraction(p), math.exp(-1.0 / int(tau))), entry)
            case ["cutoff", p, _, m, "mean"]:
                add("cutoff", waiting.cutoff_mean(Fraction(p), int(m)), entry)
            case ["cutoff", p, tau, m, "decay"]:
                add("cutoff", waiting.cutoff_decay(Fraction(p), int(m), math.exp(-1.0 / int(tau))), entry)
    add("unequal", waiting.heterogeneous_mean([HALF, QUARTER]), values["unequal_2"])
    add("unequal", waiting.heterogeneous_mean([HALF, THIRD, FIFTH]), values["unequal_3"])
    return found


def null(values: Values) -> Mapping[str, float]:
    """The 3-over-2 formula ``(3/2)^n / (p q^n)``, which is a bound and often taken for the mean; relative error in tables."""
    off = max(
        abs(float(waiting.three_over_two(Fraction(p), Fraction(q), int(levels))) / entry - 1.0)
        for name, entry in values.items()
        if name.startswith("nested_")
        for _, p, q, levels in [name.split("_")]
    )
    return {
        "nested": off,
        "twin_two": 3.0,
        "twin_nested_four": 8.0,
        "twin_two_cutoff": 15.0,
        "twin_decay": 1.0,
    }


def _added(arrays: Sequence[Floats]) -> Floats:
    total = np.zeros(max(each.size for each in arrays))
    for each in arrays:
        total[: each.size] += each
    return total


def draw(result: Result, figure: Figure) -> None:
    """The law of each chain: bars of the runs, points of the Markov chain, and where the null model puts the mean."""
    for place, chain in enumerate(CHAINS):
        axes = figure.add_subplot(2, 3, place + 1)
        parts = [each for each in result.samples if each.chain == chain.name]
        counts = _added([part.counts for part in parts])
        share = counts / counts.sum()
        exact = law(chain, parts[0].cutoff, counts.size)
        last = int(np.searchsorted(np.cumsum(share), 0.985)) + 1
        steps = np.arange(last)
        axes.bar(
            steps, share[:last], width=1.0, color=MODEL, alpha=0.35, lw=0, label="whole stack, 100,000 runs"
        )
        axes.plot(steps[1:], exact[1:last], ".", ms=4, color=MEASURED, label="exact law")
        row = result.row(f"twin_{chain.name}")
        axes.axvline(row.measured.number.value, color=MEASURED, lw=1.0, label="exact mean")
        if row.null is not None:
            axes.axvline(row.null, color=NULL, lw=1.2, ls=(0, (4, 2)), label="null model: 3-over-2")
        axes.set_title(row.measured.label.removeprefix("twin: ").replace(", ", "\n", 1), fontsize=8)
        axes.set_xlabel("steps")
        axes.set_xlim(0, last)
        axes.grid(visible=False)
    figure.axes[0].set_ylabel("share of runs")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    empty = figure.add_subplot(2, 3, 6)
    empty.axis("off")
    empty.legend(handles, labels, loc="center")


EXPERIMENTS: Final = (
    Experiment(
        name="waiting-times",
        model=(
            "network.waiting and network.absorption against the tables; Fabric (planner, controller, agents, twin) against them "
            "with the plan that the planner chose, and the law of each chain against a Markov chain stepped in numbers"
        ),
        null_model="the 3-over-2 formula taken for the mean, and no decay while a link waits",
        predict=predict,
        null=null,
        draw=draw,
        height=5.4,
        sample=sample,
        pieces=len(CHAINS) * PARTS,
    ),
)
