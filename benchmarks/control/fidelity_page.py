"""The section of the evidence page about honest fidelity, and its figure, from what ``--keep`` has kept."""

from __future__ import annotations

from collections.abc import Mapping
from math import log10
from pathlib import Path
from typing import Any

from benchmarks.page import number, table
from benchmarks.processes import ROOT

FIGURE = ROOT / "docs" / "explanation" / "figures" / "honest-fidelity.png"

START = "control/fidelity/"

WORLDS = """\
## Honest fidelity: intervals against the truth

Intervals of 95 %, 20 to 600 tests in half an hour to eight hours, calibrations up to four hours old. *Worlds* differ in how many
sessions are as calibrated, off, wandering, growing or jumping; the estimator begins with the same weights in each and learns. ± is the
95 % interval of a share. What the kinds are and what is not promised: [Honest fidelity](honest-fidelity.md).
"""

KINDS = """\
By kind of session, all worlds together. Nobody tells the estimator the kind, so what is promised is the world, not the kind.
"""

JUMPS = """\
### Around a sudden change

120 tests of a session as calibrated, one a minute, then all losses grow at once. Entries: intervals that hold the truth, their mean
width. An interval cannot know what no test has shown; until then it means: *if nothing has changed*.
"""

LIES = """\
### A repeater that lies

Five nodes in a chain, the middle one lies about a share of its swaps; tests of random parts of the path until somebody is named.
*Formula*: Wald's, without overshoot.
"""


def section(kept: Mapping[str, Any]) -> str:
    """The section; empty where nothing was kept."""
    rows = {name.removeprefix(START): row for name, row in kept.items() if name.startswith(START)}
    if not rows:
        return ""
    spend, honest = rows["spend"], rows["lie/nobody"]
    told, named = spend["details"], honest["details"]
    return "\n".join(
        [
            WORLDS,
            _covered(rows, "world/"),
            f"The cost: {number(spend['ours'])} % of the pairs were measured as tests ({told['tests']:,} of {told['pairs']:,} in "
            f"{told['sessions']} sessions on the twin; goal 2 %); {told['held']} of {told['sessions']} last intervals held the mean "
            f"of the last 2,000 pairs.\n",
            KINDS,
            _covered(rows, "kind/"),
            "![coverage, a sudden change, lies](figures/honest-fidelity.png)\n",
            JUMPS,
            _jumps(rows),
            LIES,
            _lies(rows),
            f"Where nobody lies and every link is as bad as is harmless, somebody was named {number(honest['ours'])} times in "
            f"{named['tests']:,} tests (promised: once in {number(named['mean_tests'])}, at most).\n",
        ]
    )


def _covered(rows: Mapping[str, Any], start: str) -> str:
    out = []
    for name, row in rows.items():
        told = row["details"]
        if not name.startswith(start) or not told["sessions"]:
            continue
        out.append(
            [
                name.removeprefix(start),
                f"{told['sessions']:,}",
                f"{told['coverage']:.1f} ± {told['error']:.1f} %",
                f"{told['width']:.3f}",
                f"{told['measured']:.1f} %",
                f"{told['measured_width']:.3f}",
                f"{told['calibration']:.1f} %",
                f"{told['change']:.1f} %",
            ]
        )
    what = "world" if start.startswith("world") else "kind"
    head = [what, "sessions", "hold the truth", "mean width", "tests alone", "their width"]
    return table([*head, "doubt calibration", "tell a change"], out)


def _jumps(rows: Mapping[str, Any]) -> str:
    head, out = [], []
    for name, row in rows.items():
        if not name.startswith("jump/"):
            continue
        told = row["details"]
        ordered = sorted(told["jump"].items(), key=lambda each: int(each[0]))
        head = ["just before" if at == "-1" else f"{at} tests after" for at, _ in ordered]
        cells = [f"{look['coverage']:.0f} %, {look['width']:.2f}" for _, look in ordered]
        alarm = told["alarm"]
        missed = f", none in 200 tests: {told['missed']}" if told["missed"] else ""
        out.append(
            [
                name.removeprefix("jump/"),
                *cells,
                f"{alarm['coverage']:.0f} %, {alarm['width']:.2f}",
                f"{number(row['ours'])} ({number(told['p90'])}{missed})",
            ]
        )
    return table(["change", *head, "at the alarm", "tests until the alarm: median (90 %)"], out)


def _lies(rows: Mapping[str, Any]) -> str:
    out = []
    for name, row in rows.items():
        if not name.startswith("lie/") or name == "lie/nobody":
            continue
        told = row["details"]
        cells = [number(row["ours"]), number(told["p90"]), number(row["peer"])]
        out.append([name.split("/")[1], f"{100 * told['share']:.0f} %", *cells, f"{told['right']:.0f} %"])
    head = ["lie", "of its swaps", "tests until named (median)", "90 %", "formula", "the right one named"]
    return table(head, out)


def plot(kept: Mapping[str, Any], figure: Path = FIGURE) -> None:
    """Draw coverage by world and kind, coverage around a sudden change, and how many tests a lie takes."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    made, (left, middle, right) = pyplot.subplots(1, 3, figsize=(14, 4.4), layout="constrained")
    _draw_coverage(left, kept)
    _draw_jumps(middle, kept)
    _draw_lies(right, kept)
    figure.parent.mkdir(exist_ok=True)
    made.savefig(figure, dpi=110, metadata={"Software": None})
    pyplot.close(made)


def _draw_coverage(axis: Any, kept: Mapping[str, Any]) -> None:
    shown = [
        (name.split("/", 2)[2], row["details"])
        for name, row in kept.items()
        if name.startswith((f"{START}world/", f"{START}kind/")) and row["details"]["sessions"]
    ][::-1]
    places = list(range(len(shown)))
    axis.axvspan(93, 97, color="0.9")
    covered = [told["coverage"] for _, told in shown]
    errors = [told["error"] for _, told in shown]
    axis.errorbar(covered, places, xerr=errors, fmt="o", label="tests and calibrations")
    axis.plot([told["measured"] for _, told in shown], places, "x", label="tests alone")
    axis.set_yticks(places, [name.replace("/", ": ") for name, _ in shown], fontsize=8)
    axis.set_xlim(right=101)
    axis.set_xlabel("intervals that hold the truth, %")
    axis.legend(fontsize=8, loc="lower left")


def _draw_jumps(axis: Any, kept: Mapping[str, Any]) -> None:
    for name, row in kept.items():
        if not name.startswith(f"{START}jump/"):
            continue
        points = sorted((int(at), look["coverage"]) for at, look in row["details"]["jump"].items())
        axis.plot(*zip(*points, strict=True), "o-", label=name.rpartition("/")[2])
        axis.axvline(row["ours"], linestyle=":", color=axis.lines[-1].get_color())
    axis.axhline(95, color="0.7")
    axis.set_xscale("symlog", linthresh=2, linscale=0.6)
    axis.set_xticks([-1, 0, 5, 10, 20, 40, 80, 200], ["before", "0", "5", "10", "20", "40", "80", "200"])
    axis.tick_params(axis="x", labelsize=8)
    axis.set_xlim(-2, 260)
    axis.set_xlabel("tests since a sudden change (dotted: median alarm)")
    axis.set_ylabel("intervals that hold the truth, %")
    axis.legend(fontsize=8)


def _draw_lies(axis: Any, kept: Mapping[str, Any]) -> None:
    lies: dict[str, list[tuple[float, float, float]]] = {}
    for name, row in kept.items():
        if name.startswith(f"{START}lie/") and not name.endswith("/nobody"):
            formula = log10(row["peer"]) if row["peer"] else float("nan")
            point = (row["details"]["share"], log10(max(row["ours"], 1.0)), formula)
            lies.setdefault(name.split("/")[3], []).append(point)
    for lie, points in lies.items():
        shares, waited, foretold = zip(*sorted(points), strict=True)
        (line,) = axis.plot(shares, waited, "o-", label=lie)
        axis.plot(shares, foretold, ":", color=line.get_color())
    axis.set_xlabel("share of its swaps about which the repeater lies")
    axis.set_ylabel("log10 of tests until it is named (dotted: formula)")
    axis.legend(fontsize=8)
