"""Rows 6, 7 and 10: keys of weak pulses without blocks, from a fully specified theory to a thousand kilometres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from quantum_fabric.physics import bounds
from quantum_fabric.physics.optimum import reach
from quantum_fabric.physics.qkd import decoy, dps, twin_field
from quantum_fabric.validation.comparison import Predicted, Prediction, Values
from quantum_fabric.validation.drawing import FAILED, MODEL, NULL, lines, point
from quantum_fabric.validation.experiment import Experiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quantum_fabric.validation.experiment import Result


def share(decibels: float) -> float:
    """Transmission of a loss.

    Examples:
        >>> share(30.0)
        0.001
    """
    return float(10.0 ** (-decibels / 10.0))


# ------------------------------------------------------------------------------------------------ decoy-state BB84


def _gys(values: Values) -> decoy.PulseReceiver:
    return decoy.PulseReceiver(values["background"], values["misalignment"], values["inefficiency"])


def _eta(values: Values, length: float) -> float:
    return values["receiver"] * share(values["attenuation"] * length)


def predict_gys(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001 (the protocol)
    """Reach, rates and best intensity."""
    receiver, mu, nu = _gys(values), values["intensity"], values["weak"]

    def infinite(length: float) -> float:
        return float(decoy.infinite_decoy_rate(receiver, _eta(values, length), mu))

    def weak(length: float) -> float:
        return float(decoy.vacuum_weak_rate(receiver, _eta(values, length), mu, nu))

    far, near = reach(infinite, 300e3, tolerance=0.1), reach(weak, 300e3, tolerance=0.1)
    return {
        "reach_infinite": Predicted(far), "published_infinite": Predicted(far),
        "reach_weak": Predicted(near), "published_weak": Predicted(near),
        "rate_50": Predicted(infinite(50e3)), "rate_100": Predicted(infinite(100e3)),
        "best": Predicted(decoy.best_intensity(receiver, _eta(values, 50e3))),
    }  # fmt: skip


def _without_decoys(values: Values, length: float) -> float:
    receiver, eta = _gys(values), _eta(values, length)
    return max(
        float(decoy.no_decoy_rate(receiver, eta, eta * factor)) for factor in (0.5, 0.7, 0.85, 1.0, 1.2)
    )


def null_gys(values: Values) -> Mapping[str, float]:
    """No decoys at all."""
    far = reach(lambda length: _without_decoys(values, length), 300e3, tolerance=10.0)
    return {
        "reach_infinite": far, "reach_weak": far, "published_infinite": far, "published_weak": far,
        "rate_50": _without_decoys(values, 50e3), "rate_100": _without_decoys(values, 100e3),
    }  # fmt: skip


def draw_gys(result: Result, figure: Figure) -> None:
    """Rate against distance."""
    values, receiver = result.values, _gys(result.values)
    axes = figure.add_subplot()
    lengths = np.linspace(0.0, 145e3, 300)
    etas = np.array([_eta(values, float(length)) for length in lengths])
    mu = values["intensity"]
    axes.plot(
        lengths / 1e3,
        _none(decoy.infinite_decoy_rate(receiver, etas, mu)),
        color=MODEL,
        lw=1.8,
        label="infinitely many decoys",
    )
    axes.plot(
        lengths / 1e3,
        _none(decoy.vacuum_weak_rate(receiver, etas, mu, values["weak"])),
        color="#2f8f6b",
        lw=1.6,
        label="vacuum and weak decoy",
    )
    axes.plot(
        lengths / 1e3,
        _none(np.array([_without_decoys(values, float(x)) for x in lengths])),
        color=NULL,
        ls=(0, (4, 2)),
        label="null model: no decoys",
    )
    for length in (50, 100):
        point(axes, length, result.row(f"rate_{length}"))
    for row, colour in (("reach_infinite", MODEL), ("reach_weak", "#2f8f6b")):
        axes.axvline(result.row(row).measured.number.value / 1e3, color=colour, lw=0.8, ls=":")
    axes.set_yscale("log")
    axes.set_ylim(1e-9, 1e-2)
    axes.set_xlabel("fibre / km")
    axes.set_title("secret bits per pulse; points and dotted lines: computed elsewhere")
    axes.legend()


def _none(rates: Any) -> Any:
    return np.where(np.asarray(rates) > 0.0, rates, np.nan)


# ------------------------------------------------------------------------------------------------------------ DPS


def _train(values: Values) -> dps.PulseTrain:
    return dps.PulseTrain(
        values["clock"], values["intensity"], values["efficiency"], misalignment=values["error"],
        inefficiency=values["inefficiency"],
    )  # fmt: skip


def predict_tokyo(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001
    """Sifted and secret rate."""
    rate = dps.train_rate(_train(values), share(values["loss"]))
    return {"sifted": Predicted(float(rate.sifted)), "secret": Predicted(float(rate.secret))}


def null_tokyo(values: Values) -> Mapping[str, float]:
    """Only errors are paid for, as in ideal BB84 of single photons: 1 - 2 h(e)."""
    from quantum_fabric.physics.merit import binary_entropy

    rate = dps.train_rate(_train(values), share(values["loss"]))
    return {"secret": float(rate.sifted) * (1.0 - 2.0 * float(binary_entropy(values["error"])))}


def draw_tokyo(result: Result, figure: Figure) -> None:
    """Secret rate against the error rate."""
    values = result.values
    axes = figure.add_subplot()
    errors = np.linspace(0.0, 0.05, 100)
    model = [predict_tokyo({**values, "error": float(e)}, ())["secret"].value / 1e3 for e in errors]
    lines(
        axes,
        100.0 * errors,
        model,
        [null_tokyo({**values, "error": float(e)})["secret"] / 1e3 for e in errors],
    )
    point(axes, 100.0 * values["error"], result.row("secret"), "measured over 25 days")
    axes.set_xlabel("error rate / %")
    axes.set_title("secret key / (kbit/s)")
    axes.legend()


# ------------------------------------------------------------------------------------------------------ twin field


def _sending(values: Values, decibels: float) -> float:
    dark = values["noise"] / values["clock"]
    station = twin_field.MiddleStation(dark, values["misalignment"], values["inefficiency"])
    return twin_field.best_sending(station, values["efficiency"] * share(decibels / 2.0))[2]


def predict_twin(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001
    """Slope, bound and two points."""
    losses = (40.0, 120.0)
    rates = [_sending(values, loss) for loss in losses]
    slope = np.log10(rates[0] / rates[1]) / ((losses[1] - losses[0]) / 10.0)
    near, far = (_sending(values, values[f"loss_{end}"]) for end in ("202", "1002"))
    measured = np.log10(near / far) / ((values["loss_1002"] - values["loss_202"]) / 10.0)
    return {
        "slope": Predicted(float(slope)),
        "slope_measured": Predicted(float(measured)),
        "beats": Predicted(far / float(bounds.plob(share(values["loss_1002"])))),
        "rate_1002": Predicted(far),
        "rate_202": Predicted(values["clock"] * near),
    }


def null_twin(values: Values) -> Mapping[str, float]:
    """Direct transmission of single photons without noise: the rate falls with the transmission itself."""
    direct = {end: 0.5 * values["efficiency"] * share(values[f"loss_{end}"]) for end in ("202", "1002")}
    return {
        "slope": 1.0, "slope_measured": 1.0, "rate_1002": direct["1002"], "rate_202": values["clock"] * direct["202"],
        "beats": direct["1002"] / float(bounds.plob(share(values["loss_1002"]))),
    }  # fmt: skip


def draw_twin(result: Result, figure: Figure) -> None:
    """Rate against loss, with the repeaterless bound and that of one repeater."""
    values = result.values
    axes = figure.add_subplot()
    losses = np.linspace(10.0, 190.0, 241)
    model = np.array([_sending(values, float(loss)) for loss in losses])
    axes.plot(losses, _none(model), color=MODEL, lw=1.8, label="model")
    axes.plot(
        losses,
        [0.5 * values["efficiency"] * share(loss) for loss in losses],
        color=NULL,
        ls=(0, (4, 2)),
        label="null model: direct",
    )
    axes.plot(losses, bounds.plob(10.0 ** (-losses / 10.0)), color=FAILED, lw=1.2, label="repeaterless bound")
    axes.plot(
        losses,
        bounds.equal_chain(10.0 ** (-losses / 10.0), 1),
        color="#667085",
        lw=1.0,
        ls=":",
        label="bound of one repeater",
    )
    point(axes, values["loss_1002"], result.row("rate_1002"), "measured")
    axes.plot(
        [values["loss_202"]],
        [result.row("rate_202").measured.number.value / values["clock"]],
        "o",
        color="#1d2733",
    )
    for end in ("202", "1002"):
        axes.axvline(values[f"loss_{end}"], color="#c4cad1", lw=0.8, ls=":", zorder=0)
        axes.annotate(
            f"{end} km", (values[f"loss_{end}"], 1e-19), (4, 0), textcoords="offset points", fontsize=8
        )
    axes.set_yscale("log")
    axes.set_xlabel("loss from end to end / dB")
    axes.set_title("secret bits per pulse")
    axes.legend()


EXPERIMENTS: Final = (
    Experiment(
        "gys-decoy",
        "physics.qkd.decoy: infinite_decoy_rate, vacuum_weak_rate, best_intensity",
        "no decoys (GLLP)",
        predict_gys,
        null_gys,
        draw_gys,
    ),
    Experiment(
        "tokyo-dps",
        "physics.qkd.dps.train_rate (individual attacks), the receiver's efficiency fitted to the sifted rate",
        "only errors are paid for: 1 - 2 h(e) of the sifted key",
        predict_tokyo,
        null_tokyo,
        draw_tokyo,
    ),
    Experiment(
        "liu2023-tf",
        "physics.qkd.twin_field.best_sending (sending or not sending with odd-parity pairing, asymptotic)",
        "direct transmission of single photons",
        predict_twin,
        null_twin,
        draw_twin,
        3.8,
    ),
)
