"""Figures of the reference: what each link does over distance, and what each kind of device is about.

The figures are not compared byte by byte by the tests (fonts and libraries differ); the tests see that each is there and drawn.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from quantum_fabric import devices as room
from quantum_fabric.errors import QuantityError
from quantum_fabric.links import CATALOGUE

COLOURS: Final = ("#1f5f8b", "#d98a1f", "#2f8f6b", "#a3477f", "#5b6bbf", "#8a6d3b", "#3aa0b5", "#7a7f87")


def link_figure(name: str) -> str:
    """File of the figure of one architecture."""
    return f"link-{name.replace('_', '-')}.svg"


def device_figure(kind: str) -> str:
    """File of the figure of one kind of device."""
    return f"device-{kind.replace('_', '-')}.svg"


def write(folder: Path) -> None:
    """Draw every figure that is missing or has changed; remove those that belong to nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {link_figure(name): link(name) for name in CATALOGUE}
    made |= {device_figure(kind): draw() for kind, (_, draw) in DEVICES.items()}
    for old in folder.glob("*.svg"):
        if old.name not in made and old.name.startswith(("link-", "device-")):
            old.unlink()
    for name, text in made.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def link(name: str) -> str:
    """Success per attempt, rate and fidelity of the architecture's example against distance; its knob beside."""
    namespace: dict[str, Any] = {}
    exec(CATALOGUE[name].example, namespace)
    example = namespace["link"]
    base = example.parts.arms
    lengths, points = [], []
    for factor in np.linspace(0.1, 6.0, 60):
        parts = dataclasses.replace(example.parts, arms=(base[0] * factor, base[1] * factor))
        try:
            points.append(CATALOGUE[name].make(parts).heralding())
        except QuantityError:  # a satellite that is below the horizon, or lower than it flies
            continue
        lengths.append(sum(parts.arms) / 1e3)
    knob = example.knob
    figure, axes = _figure(3 if knob else 2)
    axes[0].semilogy(lengths, [p.success / (p.period * 1e-12) for p in points], color=COLOURS[0])
    axes[0].set_ylabel("heralds per second, one lane")
    axes[1].plot(lengths, [p.fidelity for p in points], color=COLOURS[1])
    axes[1].set_ylabel("fidelity at birth")
    for one in axes[:2]:
        one.set_xlabel("both arms together / km")
    if knob:
        settings = np.geomspace(knob.low, knob.high, 60)
        trade = [example.heralding(float(setting)) for setting in settings]
        axes[2].semilogx(
            [p.success / (p.period * 1e-12) for p in trade], [p.fidelity for p in trade], color=COLOURS[2]
        )
        axes[2].set_xlabel("heralds per second, one lane")
        axes[2].set_ylabel("fidelity at birth")
        axes[2].set_title(f"trade-off: {knob.name}", fontsize=9)
    return _svg(figure, name)


def _figure(columns: int, height: float = 2.9) -> tuple[Any, Sequence[Any]]:
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(
        {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True}
    ):
        figure = Figure(figsize=(3.6 * columns, height), layout="constrained")
        axes = figure.subplots(1, columns, squeeze=False)[0]
    for one in axes:
        one.grid(color="#e8ebef")
    return figure, axes


def _svg(figure: Any, salt: str) -> str:
    import io

    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none"}):
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _named(kind: str) -> list[tuple[str, Any]]:
    return [(name, room.sheet(kind, name)) for name in room.sheets(kind)]


def _scatter(kind: str, axis: Any, x: Callable[[Any], float], y: Callable[[Any], float]) -> None:
    """One dot for each sheet, with its name; numbers that no logarithm has are left out."""
    for index, (name, record) in enumerate(_named(kind)):
        values = x(record), y(record)
        if not all(math.isfinite(value) and value > 0.0 for value in values):
            continue
        axis.plot(*values, "o", ms=4, color=COLOURS[index % len(COLOURS)])
        axis.annotate(name, values, (4, 3), textcoords="offset points", fontsize=6)


def _node() -> str:
    nodes = sorted(_named("node"), key=lambda item: item[1].memory.t2)
    figure, axes = _figure(2, height=0.18 * len(nodes) + 0.8)
    shown: tuple[tuple[str, Callable[[Any], float]], ...] = (
        ("T2 / s", lambda node: node.memory.t2),
        ("probability of a photon in the fibre", lambda node: node.interface.emission),
    )
    for axis, (label, value) in zip(axes, shown, strict=True):
        for row, (_, node) in enumerate(nodes):
            if math.isfinite(value(node)) and value(node) > 1e-9:
                axis.plot(value(node), row, "o", ms=4, color=COLOURS[row % len(COLOURS)])
        axis.set(xscale="log", xlabel=label, ylim=(-0.7, len(nodes) - 0.3))
        axis.set_yticks(
            range(len(nodes)),
            [name for name, _ in nodes] if axis is axes[0] else [""] * len(nodes),
            fontsize=7,
        )
    return _svg(figure, "node")


def _fibre() -> str:
    figure, axes = _figure(2)
    lengths = np.linspace(0.0, 200.0, 81)
    for index, (name, fibre) in enumerate(_named("fibre")):
        colour = COLOURS[index % len(COLOURS)]
        style = "-" if index < len(COLOURS) else "--"
        axes[0].semilogy(
            lengths,
            [max(fibre.transmission(1e3 * x), 1e-12) for x in lengths],
            style,
            lw=1,
            color=colour,
            label=name,
        )
        noise = [fibre.noise(1e3 * x) for x in lengths]
        if max(noise) > 0.0:
            axes[1].plot(lengths, noise, style, color=colour, label=name)
    axes[0].set(xlabel="length / km", ylabel="transmission", ylim=(1e-8, 1.5))
    axes[0].legend(fontsize=5, frameon=False)
    axes[1].set(xlabel="length / km", ylabel="noise photons / s")
    if axes[1].lines:
        axes[1].legend(fontsize=6, frameon=False)
    else:
        axes[1].text(0.5, 0.5, "all bundled fibres are dark", ha="center", transform=axes[1].transAxes)
    return _svg(figure, "fibre")


def _detector() -> str:
    figure, axes = _figure(2)
    _scatter("detector", axes[0], lambda d: max(d.dark_rate, 1e-3), lambda d: d.efficiency)
    axes[0].set(xscale="log", xlabel="dark counts / s (0 drawn at 0.001)", ylabel="efficiency")
    rates = np.geomspace(1e3, 1e9, 100)
    for index, (name, detector) in enumerate(_named("detector")):
        live = [detector.live_fraction(float(rate)) * rate for rate in rates]
        axes[1].loglog(rates, live, lw=1, color=COLOURS[index % len(COLOURS)], label=name)
    axes[1].set(xlabel="detectable photons / s", ylabel="counts / s", ylim=(1e3, 1e9))
    axes[1].legend(fontsize=5, frameon=False)
    return _svg(figure, "detector")


def _source() -> str:
    figure, axes = _figure(1)
    _scatter("source", axes[0], lambda s: s.pair_probability, lambda s: s.fidelity)
    axes[0].set(xscale="log", xlabel="pairs per pulse", ylabel="fidelity of a single pair")
    return _svg(figure, "source")


def _pair_source() -> str:
    figure, axes = _figure(2)
    for index, (name, source) in enumerate(_named("pair_source")):
        colour = COLOURS[index % len(COLOURS)]
        axes[0].plot(source.pair_rate, source.fidelity, "o", ms=4, color=colour)
        axes[0].annotate(
            name, (source.pair_rate, source.fidelity), (4, 3), textcoords="offset points", fontsize=6
        )
    axes[0].set(xscale="log", xlabel="pairs / s", ylabel="fidelity of a single pair")
    means = np.geomspace(1e-4, 1.0, 100)
    axes[1].semilogx(means, (1 + means) / (1 + 3 * means), color=COLOURS[0])
    axes[1].set(xlabel="mean pairs per pulse and polarisation", ylabel="visibility, most photons lost")
    return _svg(figure, "pair_source")


def _emitter() -> str:
    figure, axes = _figure(1)
    _scatter("emitter", axes[0], lambda e: e.brightness, lambda e: e.visibility)
    axes[0].set(xlabel="photon into the fibre", ylabel="interference visibility")
    return _svg(figure, "emitter")


def _weak_pulse() -> str:
    figure, axes = _figure(1)
    numbers = np.arange(5)
    width = 0.8 / max(1, len(_named("weak_pulse")))
    for index, (name, pulse) in enumerate(_named("weak_pulse")):
        chance = [math.exp(-pulse.signal) * pulse.signal**n / math.factorial(n) for n in numbers]
        axes[0].bar(numbers + index * width, chance, width, color=COLOURS[index % len(COLOURS)], label=name)
    axes[0].set(xlabel="photons in a signal pulse", ylabel="probability", yscale="log", ylim=(1e-6, 1))
    axes[0].legend(fontsize=6, frameon=False)
    return _svg(figure, "weak_pulse")


def _free_space() -> str:
    figure, axes = _figure(1)
    lengths = np.geomspace(100.0, 2e5, 120)
    for index, (name, path) in enumerate(_named("free_space")):
        axes[0].loglog(
            lengths / 1e3, [max(path.transmission(float(x)), 1e-12) for x in lengths], lw=1.2,
            color=COLOURS[index % len(COLOURS)], label=name,
        )  # fmt: skip
    axes[0].set(xlabel="distance / km", ylabel="mean transmission", ylim=(1e-8, 1.5))
    axes[0].legend(fontsize=6, frameon=False)
    return _svg(figure, "free_space")


def _satellite(kind: str = "satellite") -> str:
    figure, axes = _figure(2)
    for index, (name, down) in enumerate(_named(kind)):
        elevations, losses, ranges = [], [], np.linspace(down.altitude * 1.0001, down.altitude * 6, 400)
        for length in ranges:
            try:
                losses.append(down.loss(float(length)))
            except QuantityError:
                break
            elevations.append(math.degrees(down.elevation(float(length))))
        colour = COLOURS[index % len(COLOURS)]
        axes[0].plot(elevations, losses, lw=1.2, color=colour, label=name)
        axes[1].plot(ranges[: len(losses)] / 1e3, losses, lw=1.2, color=colour)
    axes[0].set(xlabel="elevation / deg", ylabel="mean loss / dB")
    axes[0].legend(fontsize=6, frameon=False)
    axes[1].set(xlabel="slant range / km", ylabel="mean loss / dB")
    return _svg(figure, kind)


def _switch() -> str:
    figure, axes = _figure(1)
    _scatter("switch", axes[0], lambda x: max(x.switching_time, 1) * 1e-12, lambda x: x.insertion_loss)
    axes[0].set(xscale="log", xlabel="switching time / s", ylabel="insertion loss / dB")
    return _svg(figure, "switch")


def _coupler() -> str:
    figure, axes = _figure(1)
    _scatter("coupler", axes[0], lambda x: x.splitting, lambda x: x.excess_loss)
    axes[0].set(xlabel="share of the first output", ylabel="excess loss / dB")
    return _svg(figure, "coupler")


def _converter() -> str:
    figure, axes = _figure(1)
    _scatter("converter", axes[0], lambda c: c.efficiency, lambda c: max(c.noise, 1e-2))
    axes[0].set(yscale="log", xlabel="external efficiency", ylabel="noise photons / s (0 drawn at 0.01)")
    return _svg(figure, "converter")


def _station() -> str:
    figure, axes = _figure(1)
    seen = np.linspace(0.0, 1.0, 60)
    for index, (name, station) in enumerate(_named("station")):
        chance = [station.swap_success(float(x)) for x in seen]
        axes[0].plot(seen, chance, lw=1.2, color=COLOURS[index % len(COLOURS)], label=name)
    axes[0].set(xlabel="efficiency of a detector", ylabel="success of a Bell measurement")
    axes[0].legend(fontsize=6, frameon=False)
    return _svg(figure, "station")


def _transducer() -> str:
    figure, axes = _figure(1)
    _scatter("transducer", axes[0], lambda t: t.efficiency, lambda t: max(t.noise, 1e-4))
    axes[0].axhline(0.5, color=COLOURS[1], lw=1, ls="--")
    axes[0].set(xscale="log", yscale="log", xlabel="efficiency", ylabel="added noise photons")
    return _svg(figure, "transducer")


DEVICES: Final[dict[str, tuple[str, Callable[[], str]]]] = {
    "node": ("Memories and photon interfaces of the sheets", _node),
    "fibre": ("Transmission and noise of the sheets", _fibre),
    "detector": ("Efficiency, dark counts and saturation of the sheets", _detector),
    "source": ("Pairs and their fidelity", _source),
    "pair_source": ("Rates of the sheets, and what double pairs do to the visibility", _pair_source),
    "emitter": ("Brightness and visibility of the sheets", _emitter),
    "weak_pulse": ("Photon numbers of the sheets", _weak_pulse),
    "free_space": ("Transmission of the sheets over distance", _free_space),
    "satellite": ("Loss of the sheets over elevation and range", _satellite),
    "uplink": ("Loss of the sheets over elevation and range", lambda: _satellite("uplink")),
    "switch": ("Loss and speed of the sheets", _switch),
    "coupler": ("Splitting and loss of the sheets", _coupler),
    "converter": ("Efficiency and noise of the sheets", _converter),
    "station": ("Success of a Bell measurement against the efficiency of its detectors", _station),
    "transducer": (
        "Efficiency and noise of the sheets; entanglement needs less than about half a photon",
        _transducer,
    ),
}
"""Kind of device -> what its figure shows, and what draws it."""
