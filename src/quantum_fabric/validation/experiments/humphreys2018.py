"""Row 4: Humphreys et al. 2018, single-click entanglement of two NV centres and its delivery on a clock."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from quantum_fabric.devices import Detector
from quantum_fabric.links.single_click import Emission, single_click
from quantum_fabric.links.station import Window
from quantum_fabric.physics import correlators, merit
from quantum_fabric.units import from_seconds
from quantum_fabric.validation.comparison import Predicted, Prediction, Values
from quantum_fabric.validation.drawing import lines, point
from quantum_fabric.validation.experiment import Experiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quantum_fabric.validation.experiment import Result


def rate_and_fidelity(values: Values, alpha: float) -> tuple[float, float]:
    """Pairs per s and their fidelity when both nodes use one bright population.

    Examples:
        >>> from quantum_fabric.validation import load
        >>> rate, fidelity = rate_and_fidelity(load("humphreys2018").values(), 0.3)
        >>> round(rate, 1), round(fidelity, 3)
        (38.4, 0.638)
    """
    detector = Detector(dark_rate=values["dark_rate"], window=from_seconds(values["window"]))
    p2 = values["double_excitation"]
    emission = Emission(
        alpha, alpha, values["detection_a"], values["detection_b"], values["phase"], double_a=p2, double_b=p2
    )
    window = Window(detector.dark_probability, values["visibility"], number_resolving=False)
    success, weights = single_click(emission, window)
    node = correlators.werner(values.get("spin_photon", 1.0))
    pair = correlators.product(correlators.product(correlators.from_weights(weights), node), node)
    return success / values["attempt"], correlators.fidelity(pair)


def clocked(values: Values, alpha: float) -> float:
    """Mean fidelity of what is delivered at every tick: the first pair of the interval, decayed, or nothing at all.

    Equation: with rate r, decay Γ and tick T, ``F = 1/4 + (F0 - 1/4) ∫_0^T r e^(-ru) e^(-Γ(T-u)) du``; no pair counts 1/4.

    Limits:
        The whole tick is used for attempts; phase stabilisation and charge checks are left out.
    """
    return _on_ticks(values, *rate_and_fidelity(values, alpha))


def _on_ticks(values: Values, rate: float, fidelity: float) -> float:
    gamma, tick = values["decoherence"], values["clock"]
    if math.isclose(rate, gamma, rel_tol=1e-6):
        rate *= 1.0 + 1e-6  # the closed form is 0/0 there
    kept = rate / (rate - gamma) * (math.exp(-gamma * tick) - math.exp(-rate * tick))
    return 0.25 + (fidelity - 0.25) * kept


ALPHAS: Final = np.linspace(0.02, 0.5, 97)


def predict(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001 (the protocol)
    """Both ends of the sweep, and the delivery."""
    low, high = (rate_and_fidelity(values, values[name]) for name in ("alpha_low", "alpha_high"))
    return {
        "rate_low": Predicted(low[0]),
        "rate_high": Predicted(high[0]),
        "fidelity_low": Predicted(low[1]),
        "fidelity_high": Predicted(high[1]),
        "link_efficiency": Predicted(merit.thresholds().deterministic_link_efficiency),
        "delivered": Predicted(max(clocked(values, float(alpha)) for alpha in ALPHAS[::4])),
    }


def low_end(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001 (the protocol)
    """What the fit is made to."""
    return {"fidelity_low": Predicted(rate_and_fidelity(values, values["alpha_low"])[1])}


def naive(values: Values, alpha: float) -> tuple[float, float]:
    """The usual shortcut: ``p = 2 α η``, ``F = 1 - α``."""
    eta = 0.5 * (values["detection_a"] + values["detection_b"])
    return 2.0 * alpha * eta / values["attempt"], 1.0 - alpha


def null(values: Values) -> Mapping[str, float]:
    """The shortcut at both ends of the sweep; every link faster than it decays would be good enough (efficiency 1)."""
    low, high = naive(values, values["alpha_low"]), naive(values, values["alpha_high"])
    return {
        "rate_low": low[0], "rate_high": high[0], "fidelity_low": low[1], "fidelity_high": high[1],
        "link_efficiency": 1.0,
        "delivered": max(_on_ticks(values, *naive(values, float(alpha))) for alpha in ALPHAS[::4]),
    }  # fmt: skip


def draw(result: Result, figure: Figure) -> None:
    """Rate, fidelity and delivered fidelity over the whole sweep of the bright population."""
    values = result.values
    model = [rate_and_fidelity(values, float(alpha)) for alpha in ALPHAS]
    shortcut = [naive(values, float(alpha)) for alpha in ALPHAS]
    known = {row.name for row in result.comparisons}
    for place, (title, name) in enumerate((("rate / Hz", "rate"), ("fidelity", "fidelity"))):
        axes = figure.add_subplot(1, 3, place + 1)
        lines(axes, ALPHAS, [each[place] for each in model], [each[place] for each in shortcut])
        for end in ("low", "high"):
            if f"{name}_{end}" in known:
                point(axes, values[f"alpha_{end}"], result.row(f"{name}_{end}"))
        axes.set_xlabel("bright population α")
        axes.set_title(title)
        axes.legend()
    axes = figure.add_subplot(1, 3, 3)
    shown = [_on_ticks(values, *each) for each in shortcut]
    lines(axes, ALPHAS, [clocked(values, float(alpha)) for alpha in ALPHAS], shown)
    axes.axhline(0.5, color="#667085", lw=1.0, ls=":")
    axes.annotate("published:\nabove this line", (0.19, 0.495), ha="center", va="top", fontsize=8)
    axes.set_xlabel("bright population α")
    axes.set_title("fidelity on every 100 ms tick")


_MODEL: Final = (
    "links.single_click.single_click with populations and coherence (bucket detectors, imbalance, double excitation, phase, "
    "dark counts); merit.deterministic_fidelity; exponential decay of the first pair of each tick"
)
_NULL: Final = "the shortcut p = 2 α η, F = 1 - α"

EXPERIMENTS: Final = (
    Experiment("humphreys2018", _MODEL, _NULL, predict, null, draw),
    Experiment(
        "humphreys2018-detailed",
        f"{_MODEL}; one white error for each node, fitted",
        _NULL,
        predict,
        null,
        draw,
        fitting=low_end,
    ),
)
