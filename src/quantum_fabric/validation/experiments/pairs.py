"""Rows 8 and 11: sources of photon pairs, in fibre and from orbit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from quantum_fabric.devices import Detector, Downlink, PairSource, sheet
from quantum_fabric.links.parts import Parts
from quantum_fabric.links.satellite import Pass, fly_over
from quantum_fabric.physics import merit
from quantum_fabric.physics.optics import pair_source
from quantum_fabric.physics.optics.globe import Orbit, Place
from quantum_fabric.units import from_seconds
from quantum_fabric.validation.comparison import Predicted, Prediction, Values
from quantum_fabric.validation.drawing import MODEL, NULL, lines, point
from quantum_fabric.validation.experiment import Experiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quantum_fabric.validation.experiment import Result

LAMBDAS: Final = (0.01, 0.05, 0.1, 0.2)


# --------------------------------------------------------------------------------------------------- closed forms


def fock_sum(
    mean: float, eta_a: float, eta_b: float, dark: float, contrast: float = 1.0
) -> tuple[float, float]:
    """Gain and error rate by summing over the pairs of both polarisations; double clicks are random bits.

    Args:
        mean: λ of each polarisation.
        eta_a: detection probability at a.
        eta_b: at b.
        dark: false-click probability of each of the four detectors.
        contrast: 1 - 2 x error of a single pair; only 1 is an exact sum.

    Examples:
        >>> gain, error = fock_sum(0.3, 0.9, 0.9, 0.0)
        >>> round(gain, 9), round(error, 9)
        (0.354453976, 0.073967868)
    """
    most = max(8, math.ceil(40.0 / -math.log(mean / (1.0 + mean))))
    chance = [mean**n / (1.0 + mean) ** (n + 1) for n in range(most)]

    def clicks(n: int, eta: float) -> float:
        return 1.0 - (1.0 - dark) * (1.0 - eta) ** n

    gain = wrong = 0.0
    for first, second in itertools.product(range(most), repeat=2):
        weight = chance[first] * chance[second]
        # pairs of the first kind light detectors 0 at a and 0 at b, those of the second kind 1 and 1
        ends = [(clicks(first, eta), clicks(second, eta)) for eta in (eta_a, eta_b)]
        one, two = ([p * (1 - q) + 0.5 * p * q, q * (1 - p) + 0.5 * p * q] for p, q in ends)
        gain += weight * (one[0] + one[1]) * (two[0] + two[1])
        wrong += weight * (one[0] * two[1] + one[1] * two[0])
    error = wrong / gain
    return gain, 0.5 * (1.0 - contrast * (1.0 - 2.0 * error))


def predict_source(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001 (the protocol)
    """Largest deviations."""
    found = [
        (*pair_source.ma_fung_lo(0.05, 0.1, 0.1, 1e-6, 1e-6, 0.015), values["gain_a"], values["error_a"]),
        (*pair_source.ma_fung_lo(0.3, 0.9, 0.9, 0.0, 0.0, 0.0), values["gain_b"], values["error_b"]),
    ]
    closed = max(max(abs(float(g) / gain - 1.0), abs(float(e) / error - 1.0)) for g, e, gain, error in found)
    continuous = pair_source.cw_rates(1e6, 0.1, 0.01, 200.0, 200.0, 1e-9, 0.3e-9)
    total = abs(float(continuous.total) / values["cw_total"] - 1.0)
    wrong = abs(float(continuous.qber(0.01)) / values["cw_error"] - 1.0)
    low = [
        abs(float(pair_source.pulsed_coincidences(each, 1e-9, 1e-9).contrast) - values[f"low_{each}"])
        for each in LAMBDAS
    ]
    rng = np.random.default_rng(int(values["seed"]))
    sums = []
    for _ in range(int(values["cases"])):
        mean, a, b, dark = (float(x) for x in 10.0 ** rng.uniform((-3, -2, -2, -7), (0.2, 0, 0, -1)))
        seen, (gain, error) = (
            pair_source.pulsed_coincidences(mean, a, b, dark, dark),
            fock_sum(mean, a, b, dark),
        )
        sums += [abs(float(seen.probability) / gain - 1.0), abs(float(seen.qber) / error - 1.0)]
    return {
        "closed_form": Predicted(closed), "continuous": Predicted(max(total, wrong)),
        "visibility": Predicted(max(low)), "fock": Predicted(max(sums)),
    }  # fmt: skip


def null_source(values: Values) -> Mapping[str, float]:
    """One pair a pulse at most: gain 2λ η_a η_b, no errors."""
    return {
        "closed_form": abs(2.0 * 0.3 * 0.81 / values["gain_b"] - 1.0),
        "visibility": max(abs(1.0 - values[f"low_{each}"]) for each in LAMBDAS),
    }


def draw_source(result: Result, figure: Figure) -> None:
    """Visibility against brightness, for low and high efficiency."""
    values = result.values
    axes = figure.add_subplot()
    means = np.logspace(-3, 0, 80)
    for eta, style in ((1e-6, "-"), (0.5, "-."), (0.9, ":")):
        contrast = pair_source.pulsed_coincidences(means, eta, eta).contrast
        axes.plot(means, contrast, color=MODEL, ls=style, lw=1.7, label=f"closed form, η = {eta:g}")
    few = [0.003, 0.01, 0.03, 0.1, 0.3, 0.8]
    axes.plot(
        few,
        [1.0 - 2.0 * fock_sum(x, 0.9, 0.9, 0.0)[1] for x in few],
        "x",
        color="#1d2733",
        label="sum over photon numbers, η = 0.9",
    )
    axes.plot(
        LAMBDAS, [values[f"low_{each}"] for each in LAMBDAS], "o", ms=5, color="#1d2733", label="table, low η"
    )
    axes.axhline(1.0, color=NULL, ls=(0, (4, 2)), label="null model: one pair at most")
    axes.set_xscale("log")
    axes.set_xlabel("mean pairs of each polarisation, λ")
    axes.set_title("visibility")
    axes.legend()


# --------------------------------------------------------------------------------------------------- Malta - Sicily


def _fibre(values: Values, where: str) -> tuple[float, float]:
    """Coincidences per s and visibility."""
    loss, length = values[f"loss_{where}"], values[f"length_{where}"]
    blur = values["dispersion"] * values["linewidth"] * length
    width = pair_source.timing_width(values["jitter"], values["jitter"], blur)
    far = values["efficiency"] * 10.0 ** (-loss / 10.0)
    seen = pair_source.cw_rates(
        values["pair_rate"],
        values["efficiency"],
        far,
        values["dark"],
        values["dark"],
        values["window"],
        width,
    )
    error = float(seen.qber(2.0 / 3.0 * (1.0 - values["fidelity"])))
    return float(seen.total), 1.0 - 2.0 * error


def predict_malta(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001
    """Both distances."""
    rate, near = _fibre(values, "96")
    _, far = _fibre(values, "192")
    return {
        "rate_96": Predicted(rate),
        "visibility_96": Predicted(near),
        "fidelity_192": Predicted(0.25 * (1.0 + 3.0 * far)),
        "bound_192": Predicted(0.25 * (1.0 + 3.0 * far)),
    }


def over_96(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001
    """What the fit is made to."""
    return {"rate_96": Predicted(_fibre(values, "96")[0])}


def null_malta(values: Values) -> Mapping[str, float]:
    """Neither accidentals nor dispersion."""
    perfect = (4.0 * values["fidelity"] - 1.0) / 3.0
    return {"visibility_96": perfect, "fidelity_192": values["fidelity"], "bound_192": values["fidelity"]}


def draw_malta(result: Result, figure: Figure) -> None:
    """Visibility against loss."""
    values = result.values
    axes = figure.add_subplot()
    losses = np.linspace(5.0, 60.0, 80)
    model = [
        _fibre({**values, "loss_x": float(loss), "length_x": float(loss) / 0.25 * 1e3}, "x")[1]
        for loss in losses
    ]
    lines(axes, losses, model, [null_malta(values)["visibility_96"]] * len(losses))
    near, far = result.row("visibility_96"), result.row("fidelity_192").measured.number
    axes.plot(
        [values["loss_96"]], [near.measured.number.value], "^", color="#1d2733", label="measured: at least"
    )
    axes.errorbar(
        [values["loss_192"]],
        [(4 * far.value - 1) / 3],
        yerr=[4 * far.error / 3],
        fmt="o",
        color="#1d2733",
        capsize=3,
        label="measured (from the fidelity, white noise)",
    )
    axes.set_xlabel("loss / dB, at 0.25 dB/km")
    axes.set_title("visibility")
    axes.legend()


# ---------------------------------------------------------------------------------------------------------- Micius


def _down(values: Values) -> Downlink:
    return Downlink(
        altitude=values["altitude"], divergence=values["divergence"], receiver_radius=values["receiver_radius"],
        wavelength=values["wavelength"], pointing_jitter=values["jitter"], zenith_transmission=values["zenith"],
        receiver_loss=values["optics"], lowest_elevation=math.radians(10.0),
    )  # fmt: skip


def _places(values: Values) -> tuple[Place, Place]:
    delingha, nanshan = (
        Place.degrees(math.degrees(values[f"{name}_lat"]), math.degrees(values[f"{name}_lon"]))
        for name in ("delingha", "nanshan")
    )
    return delingha, nanshan


def overflight(values: Values) -> Pass:
    """A pass over the middle of both stations, in the satellite's sun-synchronous orbit."""
    a, b = _places(values)
    middle = Place(0.5 * (a.latitude + b.latitude), 0.5 * (a.longitude + b.longitude))
    orbit = Orbit.over(middle, values["altitude"], math.radians(97.3), northbound=False)
    source = PairSource(
        pair_rate=values["source_rate"], drive="continuous", fidelity=values["source_fidelity"], bell=3,
        wavelength_a=values["wavelength"], wavelength_b=values["wavelength"],
    )  # fmt: skip
    detector = Detector(dark_rate=values["dark_rate"], window=from_seconds(values["window"]))
    ideal = sheet("node", "ideal")
    parts = Parts(ideal, ideal, _down(values), (800e3, 800e3), detector, source)
    return fly_over(parts, orbit, a, b, np.arange(-300.0, 301.0, 10.0))


def predict_micius(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001
    """Losses at both distances, and a pass."""
    down, seen = _down(values), overflight(values)
    a, b = _places(values)
    return {
        "loss_near": Predicted(down.loss(values["near"])),
        "loss_far": Predicted(down.loss(values["far"])),
        "separation": Predicted(_great_circle(a, b)),
        "rate": Predicted(seen.mean_rate),
        "chsh": Predicted(seen.chsh),
        "chsh_first": Predicted(overflight({**values, "source_fidelity": values["source_first"]}).chsh),
    }


def loss_near(values: Values, samples: Sequence[Any]) -> Prediction:  # noqa: ARG001
    """What the fit is made to."""
    return {"loss_near": Predicted(_down(values).loss(values["near"]))}


def _great_circle(a: Place, b: Place) -> float:
    """Haversine formula on a sphere of 6371 km."""
    lift = math.sin(0.5 * (b.latitude - a.latitude)) ** 2
    turn = math.cos(a.latitude) * math.cos(b.latitude) * math.sin(0.5 * (b.longitude - a.longitude)) ** 2
    return 2.0 * 6_371_008.8 * math.asin(math.sqrt(lift + turn))


def null_micius(values: Values) -> Mapping[str, float]:
    """Fibre of 0.2 dB/km over the same distances; a perfect source without noise."""
    return {
        "loss_near": 0.2e-3 * values["near"], "loss_far": 0.2e-3 * values["far"], "chsh": merit.TSIRELSON,
        "chsh_first": merit.TSIRELSON,
        "rate": values["source_rate"] * 10.0 ** (-0.02e-3 * 1.2e6),
    }  # fmt: skip


def draw_micius(result: Result, figure: Figure) -> None:
    """Loss against range, and the rate of a pass."""
    values, down, seen = result.values, _down(result.values), overflight(result.values)
    axes = figure.add_subplot(1, 2, 1)
    ranges = np.linspace(500e3, 1600e3, 80)
    model = np.array([down.loss(float(x)) for x in ranges])
    axes.fill_between(ranges / 1e3, model - 3.0, model + 3.0, color=MODEL, alpha=0.1, lw=0, label="± 3 dB")
    lines(axes, ranges / 1e3, model.tolist())
    fitted = result.row("loss_near").measured.number
    axes.plot(
        [values["near"] / 1e3],
        [fitted.value],
        "s",
        ms=7,
        color="#1d2733",
        mfc="white",
        label="fitted to this",
    )
    point(axes, values["far"] / 1e3, result.row("loss_far"))
    axes.annotate(
        "null model, fibre of 0.2 dB/km: 100 dB and more", (1600, 25.5), ha="right", color=NULL, fontsize=8
    )
    axes.set_ylim(24, 48)
    axes.set_xlabel("slant range / km")
    axes.set_title("loss of one downlink / dB")
    axes.legend()
    axes = figure.add_subplot(1, 2, 2)
    axes.plot(seen.seconds, seen.rate, color=MODEL, lw=1.8, label="model")
    axes.axhline(result.row("rate").measured.number.value, color="#1d2733", lw=1.2, label="measured mean")
    axes.axhline(seen.mean_rate, color=MODEL, lw=1.0, ls=":", label="mean of the pass")
    axes.set_xlabel("time / s")
    axes.set_ylim(0.0, 2.3)
    axes.set_title("pairs per second on a pass over both stations")
    axes.legend()


EXPERIMENTS: Final = (
    Experiment(
        "pair-source",
        "physics.optics.pair_source: pulsed_coincidences, ma_fung_lo, cw_rates",
        "one pair in a pulse at most",
        predict_source,
        null_source,
        draw_source,
    ),
    Experiment(
        "malta-sicily",
        "physics.optics.pair_source.cw_rates with dispersion, the brightness fitted to the rate over 96 km",
        "neither accidentals nor dispersion",
        predict_malta,
        null_malta,
        draw_malta,
        fitting=over_96,
    ),
    Experiment(
        "micius",
        "devices.Downlink and links.satellite.fly_over, the optics' loss fitted to the loss at 530 km",
        "fibre of 0.2 dB/km; a perfect source",
        predict_micius,
        null_micius,
        draw_micius,
        fitting=loss_near,
    ),
)
