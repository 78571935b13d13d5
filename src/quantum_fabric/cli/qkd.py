"""``qfabric qkd``: key rates against distance, and sessions that make keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quantum_fabric.cli.qkd_run import run
from quantum_fabric.cli.quantities import LENGTH
from quantum_fabric.errors import InputError

if TYPE_CHECKING:
    from quantum_fabric.ops.key_rate_plot import RateCurve
    from quantum_fabric.physics.qkd.distance import Hardware

EPILOG = """\b
Examples:
  qfabric qkd rate                                     curves of common protocols and the bound, as a figure
  qfabric qkd rate -p bb84 -p sns -p plob --hardware nanowire --to "600 km" --out reach.png
  qfabric qkd rate -p bb84-finite --block 1e5 --out finite.csv
  qfabric qkd attacks                                  which attack is seen by what, and which by nothing
  qfabric qkd run town.yaml --between Office Depot     photons in, key bits out
"""

RATE_EPILOG = """\b
Protocols (asymptotic unless 'finite'):
  bb84, vacuum-weak, no-decoy        weak pulses with decoys without number, two, none
  bb84-finite, one-decoy             finite blocks of --block detections
  bbm92, mdi                         a pair source, a Bell measurement in the middle
  sns, cal, cal-finite               twin field; the last in finite blocks
  cv, dps, cow                       Gaussian; pulse trains of field trials
  plob, one-repeater                 bounds

\b
Hardware:
  lim2014    the numbers of Lim et al. 2014
  gys        Gobby, Yuan, Shields 2004, as in Ma et al. 2005
  lo2012     Lo, Curty, Qi 2012
  nanowire   assumed: 80 %, 1e-9 false clicks a gate, 0.17 dB/km
"""

COMMON = ("bb84", "bbm92", "mdi", "sns", "plob")
MOST_POINTS = 2000


@click.group("qkd", epilog=EPILOG)
def command() -> None:
    """Make keys from photons: how much a link can give, and sessions with every step for real."""


command.add_command(run)


@command.command("rate", epilog=RATE_EPILOG)
@click.option(
    "--protocol",
    "-p",
    "protocols",
    multiple=True,
    metavar="NAME",
    help="A curve; may be repeated.  [default: common ones]",
)
@click.option(
    "--hardware",
    default="lim2014",
    show_default=True,
    metavar="NAME",
    help="A set of numbers, changed by what follows.",
)
@click.option(
    "--from", "start", type=str, default="0 km", show_default=True, metavar="LENGTH", help="First distance."
)
@click.option(
    "--to", "stop", type=LENGTH, default="300 km", show_default=True, metavar="LENGTH", help="Last distance."
)
@click.option(
    "--points", type=click.IntRange(1, MOST_POINTS), default=41, show_default=True, help="How many distances."
)
@click.option("--attenuation", metavar="A", help='Of the fibre, such as "0.2 dB/km".')
@click.option("--efficiency", metavar="P", help='Of a receiver with its detectors, such as "10 %".')
@click.option("--dark", type=float, help="False clicks of one detector for each gate.")
@click.option("--misalignment", metavar="P", help="Chance that a photon ends in the wrong detector.")
@click.option("--interference", metavar="P", help="The same for the two lasers of a twin field.")
@click.option("--inefficiency", type=float, help="f of error correction, at least 1.")
@click.option("--block", type=float, help="Detections in the key basis of a finite block.")
@click.option(
    "--out", "-o", "outs", multiple=True, metavar="FILE",
    help="A figure (.svg, .png, .pdf) or a table (.csv, .parquet); may be repeated.  [default: key-rate.svg]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The numbers as JSON, for programs.")
def rate_command(
    protocols: tuple[str, ...], hardware: str, start: str, stop: float, points: int, attenuation: str | None,
    efficiency: str | None, dark: float | None, misalignment: str | None, interference: str | None,
    inefficiency: float | None, block: float | None, outs: tuple[str, ...], as_json: bool,
) -> int:  # fmt: skip
    """Key rate against distance, each protocol at its best setting, beside the bound without repeaters."""
    from quantum_fabric.cli.screen import console
    from quantum_fabric.physics.qkd.distance import PROTOCOLS
    from quantum_fabric.units import parse

    names = tuple(dict.fromkeys(protocols or COMMON))
    for name in names:
        if name not in PROTOCOLS:
            raise InputError(repr(name), f"one of {', '.join(PROTOCOLS)}", "--protocol")
    ends = [".svg", ".png", ".pdf", ".csv", ".parquet"]
    for out in outs:
        if not out.endswith(tuple(ends)):
            raise InputError(repr(out), f"a file that ends with {', '.join(ends)}", "--out")
    changes = {
        "attenuation": parse(attenuation, "attenuation") if attenuation else None,
        "efficiency": parse(efficiency, "fraction") if efficiency else None,
        "dark": dark,
        "misalignment": parse(misalignment, "fraction") if misalignment else None,
        "interference": parse(interference, "fraction") if interference else None,
        "inefficiency": inefficiency,
        "block": block,
    }
    chosen = _hardware(hardware, {name: value for name, value in changes.items() if value is not None})
    first = parse(start, "length")
    if not 0.0 <= first <= stop:
        raise InputError(start, "a distance from 0 up to --to", "--from")
    step = (stop - first) / (points - 1) if points > 1 else 0.0
    curves = _curves(names, chosen, [first + step * number for number in range(points)])
    title = f"hardware: {hardware}" + (
        " with changes" if any(v is not None for v in changes.values()) else ""
    )
    for out in outs or (() if as_json else ("key-rate.svg",)):
        _write(out, curves, title)
    if as_json:
        rows = [
            {
                "protocol": c.name,
                "unit": PROTOCOLS[c.name].unit,
                "distance_km": list(c.kilometres),
                "bits": [_finite(y) for y in c.rates],
            }
            for c in curves
        ]
        click.echo(json.dumps({"hardware": _numbers(chosen), "curves": rows}, indent=1))
        return 0
    screen = console()
    screen.print(_table(curves))
    for out in outs or ("key-rate.svg",):
        screen.print(f"  {out}", highlight=False, soft_wrap=True)
    return 0


@command.command("attacks")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def attacks_command(as_json: bool) -> int:
    """Which attack is seen by what, which by nothing, and what is assumed and cannot be tested here."""
    from dataclasses import asdict

    from quantum_fabric.cli.keying import need_keys
    from quantum_fabric.cli.screen import console, table

    need_keys()
    from quantum_fabric.services.qkd.signatures import ASSUMPTIONS, SIGNATURES

    if as_json:
        found = {"attacks": [asdict(each) for each in SIGNATURES], "assumptions": dict(ASSUMPTIONS)}
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    made = table("Attack", "Alarms", "Wants", "Otherwise")
    for each in SIGNATURES:
        made.add_row(each.attack, ", ".join(each.alarms) or "none", each.wants, each.otherwise)
    screen = console()
    screen.print(made)
    for name, how in ASSUMPTIONS:
        screen.print(f"[bold]{name}[/]: {how}", soft_wrap=True)
    return 0


def _hardware(name: str, changes: dict[str, float]) -> Hardware:
    from dataclasses import replace

    from quantum_fabric.physics.qkd.distance import HARDWARE

    if name not in HARDWARE:
        raise InputError(repr(name), f"one of {', '.join(HARDWARE)}", "--hardware")
    return replace(HARDWARE[name], **changes)


def _curves(names: tuple[str, ...], hardware: Hardware, metres: list[float]) -> list[RateCurve]:
    from rich.progress import Progress

    from quantum_fabric.cli.screen import console
    from quantum_fabric.ops.key_rate_plot import RateCurve
    from quantum_fabric.physics.qkd.distance import PROTOCOLS, rate

    err = console(stderr=True)
    curves = []
    with Progress(console=err, disable=not err.is_terminal, transient=True) as progress:
        task = progress.add_task("key rates", total=len(names) * len(metres))
        for name in names:
            rates: list[float] = []
            for length in metres:
                # beyond its reach a protocol gives nothing, and the search for its best setting takes longest there
                gone = len(rates) >= 2 and rates[-1] == rates[-2] == 0.0
                rates.append(0.0 if gone else rate(name, hardware, length))
                progress.advance(task)
            protocol = PROTOCOLS[name]
            far = [length / 1000.0 for length in metres]
            curves.append(RateCurve(name, protocol.title, far, rates, protocol.bound, protocol.finite))
    return curves


def _write(out: str, curves: list[RateCurve], title: str) -> None:
    from quantum_fabric.ops.key_rate_plot import write_csv, write_figure, write_parquet

    if out.endswith(".csv"):
        write_csv(Path(out), curves)
    elif out.endswith(".parquet"):
        write_parquet(Path(out), curves)
    else:
        write_figure(out, curves, title)


def _table(curves: list[RateCurve]) -> object:
    """Rates at the first distance, at a few others, and the reach."""
    from quantum_fabric.cli.screen import table

    far = curves[0].kilometres
    places = sorted({round(k * (len(far) - 1) / 4) for k in range(5)})
    heads = [f"{far[k]:.4g} km" for k in places]
    made = table("Protocol", *heads, "Reach", right=(*heads, "Reach"))
    for curve in curves:
        served = [x for x, y in zip(curve.kilometres, curve.rates, strict=True) if y > 0.0]
        reach = (
            "–" if not served else f"{served[-1]:.4g} km" if served[-1] < far[-1] else f"> {far[-1]:.4g} km"
        )
        made.add_row(curve.title, *(_show(curve.rates[k]) for k in places), "–" if curve.bound else reach)
    return made


def _show(value: float) -> str:
    return "–" if value == 0.0 else "∞" if value == float("inf") else f"{value:.3e}"


def _finite(value: float) -> float | None:
    return value if value != float("inf") else None


def _numbers(hardware: Hardware) -> dict[str, float]:
    from dataclasses import asdict

    found = asdict(hardware)
    found["attenuation_db_per_km"] = found.pop("attenuation") * 1000.0
    return found
