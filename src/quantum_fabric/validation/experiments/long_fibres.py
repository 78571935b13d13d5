"""Row 7: finite keys of weak pulses over hundreds of kilometres of ultra-low-loss fibre."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from quantum_fabric.physics.qkd import cow, time_bin
from quantum_fabric.physics.qkd.finite_rate import Setting
from quantum_fabric.physics.qkd.ledger import Security
from quantum_fabric.validation.comparison import Predicted, Prediction, Values
from quantum_fabric.validation.drawing import FAILED, MODEL, NULL, lines, point
from quantum_fabric.validation.experiment import Experiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quantum_fabric.validation.experiment import Result

DISTANCES: Final = ("252", "302", "354", "405", "421")
"""Names of the fibres of Boaron et al., by their length in km."""


# ------------------------------------------------------------------------------------------- time bins, three states


SYSTEM: Final = ("clock", "efficiency", "dark_rate", "window", "key_misalignment", "test_misalignment")
FIBRE: Final = ("loss", "signal", "decoy", "block")


def block(values: Values, where: str) -> time_bin.TimeBinBlock:
    """The block with the most key for each second, over the shares of basis and decoy, which were not published."""
    return _best(tuple(values[name] for name in SYSTEM), tuple(values[f"{name}_{where}"] for name in FIBRE))


@lru_cache(maxsize=256)  # the errors of a parameter are carried through by asking again for all distances
def _best(system: tuple[float, ...], fibre: tuple[float, ...]) -> time_bin.TimeBinBlock:
    loss, signal, decoy, size = fibre
    blocks = (
        time_bin.time_bin_block(
            time_bin.TimeBinSystem(*system),
            float(10.0 ** (-loss / 10.0)),
            Setting(q / 20, (signal, decoy), (p / 10, 1 - p / 10)),
            size,
            Security(1e-9, 1e-15),
        )
        for q in range(8, 20)
        for p in range(4, 10)
    )
    return max(blocks, key=lambda each: each.rate)


def predict_boaron(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001 (the protocol)
    """Key and error rate at each distance."""
    found = {}
    for where in DISTANCES:
        best = block(values, where)
        found[f"rate_{where}"] = Predicted(best.rate)
        found[f"error_{where}"] = Predicted(best.key_error)
    return found


def _single_photons(values: Values, decibels: float) -> float:
    return 0.5 * values["clock"] * values["efficiency"] * float(10.0 ** (-decibels / 10.0))


def null_boaron(values: Values) -> Mapping[str, float]:
    """Single photons, no dark counts, no block: half the clicks are key, errors are those of the alignment."""
    rates = {f"rate_{where}": _single_photons(values, values[f"loss_{where}"]) for where in DISTANCES}
    return {**rates, **{f"error_{where}": values["key_misalignment"] for where in DISTANCES}}


def draw_boaron(result: Result, figure: Figure) -> None:
    """Key and error rate against loss; a block at each distance has its own size, so the model is points and no curve."""
    values = result.values
    losses = [values[f"loss_{where}"] for where in DISTANCES]
    for place, (name, title) in enumerate(
        (("rate", "secret key / (bit/s)"), ("error", "error rate of the key / %"))
    ):
        axes = figure.add_subplot(1, 2, place + 1)
        rows = [result.row(f"{name}_{where}") for where in DISTANCES]
        scale = 100.0 if name == "error" else 1.0
        for loss, row, where in zip(losses, rows, DISTANCES, strict=True):
            first = where == DISTANCES[0]
            value = scale * row.measured.number.value
            axes.plot(
                [loss], [value], "o", ms=7, color="#1d2733", mfc="white", label="measured" if first else None
            )
            colour = MODEL if row.passed else FAILED
            axes.plot(
                [loss],
                [scale * row.predicted],
                "x",
                ms=8,
                mew=2,
                color=colour,
                label="model" if first else None,
            )
            if name == "rate":
                axes.annotate(f"{where} km", (loss, value), (6, 6), textcoords="offset points", fontsize=8)
        axes.plot(
            losses,
            [scale * (row.null or 0.0) for row in rows],
            color=NULL,
            ls=(0, (4, 2)),
            label="null model",
        )
        axes.plot([], [], "x", ms=8, mew=2, color=FAILED, label="model, beyond the tolerance")
        axes.set_xlabel("loss / dB")
        axes.set_title(title)
        if name == "rate":
            axes.set_yscale("log")
            axes.set_ylim(1e-2, 1e6)
        else:
            axes.legend()
        axes.set_xlim(40.0, 77.0)


# ------------------------------------------------------------------------------------------------ coherent one-way


def _watched(values: Values, decibels: float) -> cow.WatchedRate:
    link = cow.WatchedLink(
        clock=values["clock"], intensity=values["intensity"], efficiency=values["efficiency"],
        dark_rate=values["dark_rate"], window=values["window"], misalignment=values["misalignment"],
        visibility=values["visibility"], decoys=values["decoys"], dead_time=values["dead_time"],
    )  # fmt: skip
    return cow.watched_rate(
        link, 10.0 ** (-decibels / 10.0), block=values["block"], failure=values["failure"]
    )


def predict_korzh(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001 (the protocol)
    """The rate by the bound that the paper used, whatever that bound is worth."""
    return {"rate": Predicted(float(_watched(values, values["loss"]).claimed))}


def null_korzh(values: Values) -> Mapping[str, float]:
    """Every click is key: no errors, no eavesdropper, no block."""
    return {"rate": float(_watched(values, values["loss"]).sifted)}


def draw_korzh(result: Result, figure: Figure) -> None:
    """Claimed rate against loss, and where an attack without errors explains every click."""
    values = result.values
    axes = figure.add_subplot()
    losses = np.linspace(20.0, 58.0, 96)
    found = [_watched(values, float(loss)) for loss in losses]
    lines(
        axes,
        losses,
        [float(each.claimed) or np.nan for each in found],
        [float(each.sifted) for each in found],
    )
    broken = [float(loss) for loss, each in zip(losses, found, strict=True) if each.broken]
    if broken:
        axes.axvspan(
            broken[0], losses[-1], color=FAILED, alpha=0.08, lw=0, label="open to an attack without errors"
        )
    point(axes, values["loss"], result.row("rate"), "published")
    axes.set_yscale("log")
    axes.set_xlabel("loss / dB")
    axes.set_title("bits per second by the bound of the paper (null model: sifted key)")
    axes.legend()


EXPERIMENTS: Final = (
    Experiment(
        "boaron2018",
        "physics.qkd.time_bin.time_bin_block (one decoy, finite key), basis and decoy shares at their best",
        "single photons without dark counts in infinitely long blocks",
        predict_boaron,
        null_boaron,
        draw_boaron,
    ),
    Experiment(
        "korzh2015",
        "physics.qkd.cow.watched_rate (finite key against collective attacks on one pulse), not WatchedRate.secret, which is 0 here",
        "every click is key",
        predict_korzh,
        null_korzh,
        draw_korzh,
    ),
)
