"""``qfabric sample``: what to expect of a request, from many replicas instead of one run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quantum_fabric.cli.quantities import TIME
from quantum_fabric.errors import InputError

if TYPE_CHECKING:
    from quantum_fabric.montecarlo import Results, Scenario
    from quantum_fabric.units import Time

MOST_EVENTS = 1e12
"""Replicas times pairs beyond which nobody waits for the answer."""

EPILOG = """\b
Examples:
  qfabric sample chicago NU UChicago_PME --fidelity 0.8 --replicas 10000
  qfabric sample chicago NU Argonne_1 --fidelity 0.7 --pairs 100 --figure latency.svg
  qfabric sample my-network.yaml A B --fidelity 0.9 --out pairs.parquet
  qfabric sample chicago NU UChicago_PME --fidelity 0.7 --tail 1e-6

The same seed gives the same numbers for any number of --workers. Where the plan qualifies, a structured sampler stands in for the
events: the same law, other draws; the last line says which, and --why says what kept the others. With --sampler none the native
kernel and the twin give the same numbers. 'qfabric doctor' says whether the kernel is installed.

Errors are standard errors between replicas; beside the quantile of --tail it is a 95 % interval.
"""


@click.command("sample", epilog=EPILOG)
@click.argument("network")
@click.argument("source")
@click.argument("destination")
@click.option("--fidelity", "-f", type=float, required=True, help="Least fidelity of each pair, in (0.5, 1).")
@click.option("--pairs", "-n", type=int, default=1, show_default=True, help="Pairs of each replica.")
@click.option("--replicas", "-r", type=int, default=1000, show_default=True, help="How often it is repeated.")
@click.option("--seed", "-s", type=int, default=1, show_default=True, help="Of every random draw.")
@click.option("--workers", "-j", type=int, help="Cores; all of them by default.")
@click.option(
    "--tail",
    "beyond",
    metavar="P",
    type=float,
    help="Also the time that the first pair exceeds with probability P only, such as 1e-6, by splitting.",
)
@click.option("--until", metavar="T", type=TIME, help='Simulated time of a replica at most, such as "20 s".')
@click.option(
    "--engine",
    type=click.Choice(["auto", "native", "twin"]),
    default="auto",
    show_default=True,
    help="Who runs them.",
)
@click.option(
    "--sampler",
    metavar="NAME",
    default="auto",
    show_default=True,
    help="What may stand in for the events: auto, none, max-plus, nested or asap.",
)
@click.option(
    "--device",
    type=click.Choice(["cpu", "gpu", "auto"]),
    default="cpu",
    show_default=True,
    help="Where sampler max-plus runs; an accelerator needs the extra [gpu].",
)
@click.option("--why", is_flag=True, help="Say why no other sampler stood in for the events.")
@click.option(
    "--figure", metavar="FILE", help="Draw the law of the first pair into a file: .svg, .png or .pdf."
)
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Every pair, as .parquet or .csv.",
)
@click.option("--json", "as_json", is_flag=True, help="The numbers as JSON, for programs.")
def command(
    network: str,
    source: str,
    destination: str,
    fidelity: float,
    pairs: int,
    replicas: int,
    seed: int,
    workers: int | None,
    beyond: float | None,
    until: Time | None,
    engine: str,
    sampler: str,
    device: str,
    why: bool,
    figure: str | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Serve a request in many replicas of an idle network, and say what came of it.

    Rate, time to the first pair and true fidelity with their errors, and the law of the first pair. The plan is made once, as
    'qfabric plan' shows it.
    """
    from quantum_fabric import documents, ensemble
    from quantum_fabric.cli.plan import check_request
    from quantum_fabric.cli.screen import console
    from quantum_fabric.messages import LinkRequest
    from quantum_fabric.montecarlo.running import FOREVER

    request = LinkRequest(source, destination, fidelity, pairs, name="request")
    check_request(request)
    _check(replicas, pairs, figure, out, beyond, engine)
    inventory = documents.inventory(documents.load_network(network))
    for option, node in (("SOURCE", source), ("DESTINATION", destination)):
        if node not in inventory.nodes:
            raise InputError(repr(node), f"one of the nodes {', '.join(sorted(inventory.nodes))}", option)
    screen = console(stderr=as_json)
    what = ensemble.scenario(inventory, [(0, request)])
    if what.refusals:
        screen.print(f"refused: {what.refusals['request']}")
        return 1
    with _bar(replicas) as progress:
        found = ensemble.run(
            inventory, [(0, request)], seed=seed, replicas=replicas, workers=workers, until=FOREVER if until is None else until,
            keep_pairs=out is not None, engine=engine, sampler=sampler, device=device, progress=progress,
        )  # fmt: skip
    if out is not None:
        _write(out, found)
    if figure is not None:
        _draw(figure, found, f"{source} – {destination}")
    rare = None if beyond is None else _rare(what, beyond, seed, workers, until)
    if as_json:
        _as_json(found, rare)
    else:
        _show(screen, found, figure, out, rare)
        if why:
            for name, reasons in found.passed_over.items():
                screen.print(f"not {name}: {'; '.join(reasons)}")
    return 0


def _check(
    replicas: int, pairs: int, figure: str | None, out: Path | None, beyond: float | None, engine: str
) -> None:
    rules: tuple[tuple[bool, str, object, str], ...] = (
        (replicas >= 1, "--replicas", replicas, "at least 1"),
        (replicas * pairs <= MOST_EVENTS, "--replicas", replicas, f"at most {MOST_EVENTS:.0e} pairs in all"),
        (figure is None or figure.endswith((".svg", ".png", ".pdf")), "--figure", figure, "a file that ends with .svg, .png or .pdf"),
        (beyond is None or 1e-12 <= beyond <= 0.1, "--tail", beyond, "a probability from 1e-12 to 0.1"),
        (beyond is None or engine != "twin", "--tail", beyond, "the native kernel: only it can fork a run"),
        (out is None or out.suffix in (".parquet", ".csv"), "--out", out, "a file that ends with .parquet or .csv"),
    )  # fmt: skip
    for good, where, value, expected in rules:
        if not good:
            raise InputError(repr(value), expected, where)


class _bar:  # noqa: N801 (used like a function)
    """A bar on the screen while replicas run; nothing where the output is no terminal."""

    def __init__(self, total: int) -> None:
        from quantum_fabric.cli.screen import console

        self._total = total
        self._progress: Any = None
        self._screen = console(stderr=True)

    def __enter__(self) -> Any:
        if not self._screen.is_terminal:
            return lambda _: None
        from rich.progress import Progress

        self._progress = Progress(console=self._screen, transient=True)
        self._progress.start()
        task = self._progress.add_task("replicas", total=self._total)
        return lambda done: self._progress.update(task, completed=done)

    def __exit__(self, *error: object) -> None:
        if self._progress is not None:
            self._progress.stop()


def _rare(
    what: Scenario, beyond: float, seed: int, workers: int | None, until: Time | None
) -> dict[str, float]:
    """The long tail of the first pair: a probability, its quantile in seconds, and the ends of its 95 % interval."""
    from quantum_fabric.montecarlo.running import FOREVER
    from quantum_fabric.montecarlo.tails import tail

    found = tail(what, reach=beyond, seed=seed, workers=workers, until=FOREVER if until is None else until)
    value, low, high = found.quantile(beyond)
    return {"beyond": beyond, "first_pair_s": value, "low_s": low, "high_s": high}


def _numbers(found: Results) -> dict[str, Any]:
    rate, fidelity, latency = found.rate(), found.fidelity(), found.latency()
    return {
        "scenario": found.digest,
        "engine": found.engine,
        "passed_over": {name: list(reasons) for name, reasons in found.passed_over.items()},
        "seed": found.seed,
        "replicas": found.replicas,
        "pairs": found.pairs,
        "withheld": int(found.column("withheld").sum()),
        "rate_per_s": rate[0],
        "rate_error": rate[1],
        "fidelity": fidelity[0],
        "fidelity_error": fidelity[1],
        "first_pair_s": latency[0],
        "first_pair_error_s": latency[1],
        "first_pair_quantiles_s": {str(share): found.quantile(share) for share in (0.5, 0.9, 0.99, 0.999)},
        "events_per_pair": found.counts["events"] / found.pairs if found.pairs else None,
        "fidelity_doubt": found.twirl_error,
    }


def _as_json(found: Results, rare: dict[str, float] | None) -> None:
    import json

    def finite(numbers: dict[str, Any]) -> dict[str, Any]:
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in numbers.items()
        }

    numbers = finite(_numbers(found))
    if rare is not None:
        numbers["tail"] = finite(rare)
    click.echo(json.dumps(numbers, indent=1))


def _show(
    screen: Any, found: Results, figure: str | None, out: Path | None, rare: dict[str, float] | None
) -> None:
    from quantum_fabric.cli.screen import table
    from quantum_fabric.units import from_seconds, show_time

    numbers = _numbers(found)
    rows = table("What", "Mean", "Error", right=("Mean", "Error"))
    if math.isfinite(numbers["rate_per_s"]):
        rows.add_row("pairs per second", f"{numbers['rate_per_s']:.6g}", f"{numbers['rate_error']:.2g}")
    rows.add_row("true fidelity", f"{numbers['fidelity']:.6f}", f"{numbers['fidelity_error']:.1g}")
    if math.isfinite(numbers["first_pair_s"]):
        error = numbers["first_pair_error_s"]
        shown = show_time(from_seconds(error)) if math.isfinite(error) else "-"
        rows.add_row("first pair after", show_time(from_seconds(numbers["first_pair_s"])), shown)
        for share, value in numbers["first_pair_quantiles_s"].items():
            if math.isfinite(value):
                rows.add_row(
                    f"  {float(share):.1%} of first pairs within", show_time(from_seconds(value)), ""
                )
    if rare is not None:
        value, low, high = (
            show_time(from_seconds(rare[name])) if math.isfinite(rare[name]) else "never"
            for name in ("first_pair_s", "low_s", "high_s")
        )
        rows.add_row(f"  all but {rare['beyond']:g} of first pairs within", value, f"{low} – {high}")
    screen.print(rows)
    engine = found.engine.replace("native", "native kernel")
    screen.print(
        f"{found.pairs:,} pairs delivered, {numbers['withheld']:,} withheld, in {found.replicas:,} replicas on the {engine}; "
        f"scenario {found.digest[:12]}, seed {found.seed}"
    )
    for path in (figure, out):
        if path is not None:
            screen.print(f"written: {path}")


def _draw(path: str, found: Results, title: str) -> None:
    from quantum_fabric.ops.waiting_plot import write

    first = found.column("first")
    waits = ((first[first >= 0] - found.requests[0].at) * 1e-12).tolist()
    write(path, [("first pair", waits)], "time from the request to the first pair", title)


def _write(path: Path, found: Results) -> None:
    """Every pair as a table; a file that cannot be written is left as it was."""
    import duckdb
    import numpy as np

    from quantum_fabric.montecarlo.results import DELIVERIES, STATES

    columns = {name: np.ascontiguousarray(found.deliveries[:, k]) for k, name in enumerate(DELIVERIES)}
    columns |= {name: np.ascontiguousarray(found.states[:, k]) for k, name in enumerate(STATES)}
    half = path.with_name(f".{path.name}.part")
    with duckdb.connect() as base:
        base.register("pairs", columns)
        how = "(FORMAT parquet)" if path.suffix == ".parquet" else "(HEADER, DELIMITER ',')"
        quoted = str(half).replace("'", "''")
        try:
            base.execute(f"COPY pairs TO '{quoted}' {how}")
        except duckdb.IOException as error:
            half.unlink(missing_ok=True)
            raise InputError(str(path), f"a file that can be written ({error})", "--out") from error
    half.replace(path)
