"""docs/explanation/control-evidence.md and its figure, written from the results that ``--keep`` has kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.control import fidelity_page, growth
from benchmarks.page import number, table, when
from benchmarks.processes import ROOT

KEPT = Path(__file__).with_name("measured.json")
PAGE = ROOT / "docs" / "explanation" / "control-evidence.md"
FIGURE = PAGE.parent / "figures" / "routing.png"

HEAD = """\
# Evidence: routing and scheduling

This page is written by `qfabric bench control --keep` from `benchmarks/control/measured.json`. Do not edit it. What the routers
do, and what the comparison leaves out: [Routing in time slots](routing.md).
"""

PLAIN = """\
## Ebits per slot against load

100 nodes, mean channel success 0.6, swaps 0.9, link states told over 3 hops (the reference of Shi and Qian, SIGCOMM 2020). All routers
get the same topologies, demands and channels. ± is one standard error over topologies; *ahead* is ours less the best of the
family, paired, with its 95 % interval. *Published* is the authors' program on one topology of its generator (provenance C: run
for this project, 100 to 400 slots), which is another instance.
"""

FLOORED = {
    "floor": "## With a floor of fidelity\n\nFresh pairs have fidelities uniform in 0.94 to 1, the floor is 0.8 end to end. "
    "An entry is ebits per slot that keep the floor, and the share of all ebits that do not.\n",
    "decay": "## With a floor, classical delay and decay\n\nAs above, with memories of 10 ms and messages at 2e5 km/s: link "
    "states travel before the swaps, outcomes after them, and every half decays meanwhile.\n",
}

PURIFIED = """\
## Purification for a floor: Q-PATH and Q-LEAP

One pair of nodes of the authors' backbone (39 nodes, 61 edges of 50 pairs, their published link fidelities), 50 pairs wanted; means
over 40 pairs of nodes. *Published* is the authors' result file for one pair of nodes that is not recorded.
"""

PATHS = """\
## The best path of expected throughput

EXT is monotone but not isotonic, so an extended Dijkstra is not exact. 1,000 searches for each width on empty networks.
"""

GROWTH = """\
## How the time for a decision grows

Median and 99 % of decisions on meshes of about 6 links for each node; ms of one processor. Up to 1,000 nodes half as many requests
are active, above 500. The exponent is the slope of the line through the logarithms of the medians, over the whole range, ± one
standard error. Lengths of paths are binned by their least; requests between any two nodes of networks of 1,000 and more.
"""

TITLES = {
    "contract": "Contract: sessions judged against what they were promised",
    "failures": "Repair: every single failure",
    "floods": "A million requests at once",
    "chicago": "Memory allocation on the Chicago network",
    "margins": "Margins of swift plans",
    "latency": "Time for a decision",
    "distributed": "Controllers: one, one for each domain, one at each node",
    "schedules": "Leaks and half-open pairs in randomised schedules",
}
"""Headings of the parts that are told line by line."""


def write(kept: Mapping[str, Any]) -> None:
    """Write the page and its figure."""
    PAGE.write_text(page(kept), encoding="utf-8")
    FIGURE.parent.mkdir(exist_ok=True)
    figure(kept)
    if _group(kept, "control/growth/"):
        growth.plot(kept)
    if _group(kept, fidelity_page.START):
        fidelity_page.plot(kept)


def page(kept: Mapping[str, Any]) -> str:
    """The page, from what was kept."""
    parts = [HEAD]
    plain = _group(kept, "control/routing/plain/")
    if plain:
        parts += [PLAIN, _loads(plain), "![ebits per slot](figures/routing.png)\n", _planning(kept)]
    for setting, text in FLOORED.items():
        found = _group(kept, f"control/routing/{setting}/")
        if found:
            parts += [text, _floored(found)]
    if _group(kept, "control/purification/0"):
        parts += [PURIFIED, _purified(kept)]
    if _group(kept, "control/paths/"):
        parts += [PATHS, _paths(kept)]
    grown = _group(kept, "control/growth/")
    if grown:
        parts += [GROWTH, _growth(grown), "![time for a decision](figures/decision-latency.png)\n"]
    parts += [told for told in [fidelity_page.section(kept)] if told]
    rest: dict[str, dict[str, Any]] = {}
    for name, row in kept.items():
        part = name.split("/")[1]
        if part not in {"routing", "purification", "paths", "growth", "fidelity"}:
            rest.setdefault(part, {})[name] = row
    for part, found in rest.items():
        parts += [f"## {TITLES.get(part, part.capitalize())}\n", _rest(found)]
    return "\n".join([*parts, "## When\n", when(kept)])


def _group(kept: Mapping[str, Any], start: str) -> dict[str, Any]:
    return {name.removeprefix(start): row for name, row in kept.items() if name.startswith(start)}


def _means(row: Mapping[str, Any]) -> dict[str, float]:
    return {"ours": row["ours"], row["peer_name"]: row["peer"], **row["others"]}


def _loads(plain: Mapping[str, Any]) -> str:
    names = sorted(_means(next(iter(plain.values()))), key=lambda name: (not name.startswith("ours"), name))
    rows = []
    for load, row in plain.items():
        means, errors, published = _means(row), row["details"]["errors"], row["details"]["published"]
        cells = []
        for name in names:
            theirs = f" ({published[name]:.2f})" if name in published else ""
            cells.append(f"{means[name]:.2f} ± {errors[name]:.2f}{theirs}")
        ahead = f"{row['details']['ahead']:+.2f} ± {row['details']['interval']:.2f} ({row['peer_name']})"
        rows.append([str(int(load)), *cells, ahead])
    return table(
        [
            "pairs",
            *(f"{name} (published)" if not name.startswith("ours") else name for name in names),
            "ahead",
        ],
        rows,
    )


def _planning(kept: Mapping[str, Any]) -> str:
    row = kept.get("control/routing/planning")
    if row is None:
        return ""
    others = ", ".join(f"{name} {number(value)}" for name, value in row["others"].items())
    return (
        f"Planning a slot of 10 pairs takes ours {number(row['ours'])} ms of CPU (median; most {number(row['details']['most'])}; "
        f"goal 50). The others, written in the same way: {others}.\n"
    )


def _floored(found: Mapping[str, Any]) -> str:
    names = sorted(_means(next(iter(found.values()))), key=lambda name: (name != "ours", name))
    rows = []
    for load, row in found.items():
        means, below, errors = _means(row), row["details"]["below"], row["details"]["errors"]
        cells = [f"{means[name]:.2f} ± {errors[name]:.2f}, {100 * below[name]:.0f} % below" for name in names]
        ahead = f"{row['details']['ahead']:+.2f} ± {row['details']['interval']:.2f} ({row['peer_name']})"
        rows.append([str(int(load)), *cells, ahead])
    return table(["pairs", *names, "ahead"], rows)


def _purified(kept: Mapping[str, Any]) -> str:
    rows = []
    for floor, row in _group(kept, "control/purification/0").items():
        theirs = row["details"]["published"]
        means, reached = _means(row), row["details"]["fidelity"]
        cells = [f"{means[name]:.2f} ({reached[name]:.3f})" for name in ("ours", "Q-PATH", "Q-LEAP")]
        rows.append([f"0{floor}", *cells, f"{row['ratio']:.3f}", f"{theirs[0]} / {theirs[1]}"])
    head = ["floor", "ours (mean fidelity)", "Q-PATH", "Q-LEAP", "ours / Q-PATH", "published Q-PATH / Q-LEAP"]
    times = kept["control/purification/planning"]
    return table(head, rows) + (
        f"\nA plan takes ours {number(times['ours'])} ms of CPU (median; nine in ten below {number(times['details']['p90'])}, most "
        f"{number(times['details']['most'])}; goal 10), our Q-PATH {number(times['peer'])} and Q-LEAP "
        f"{number(times['others']['Q-LEAP'])}. The authors state seconds for Q-PATH (4 to 15) and 1 to 4 ms for Q-LEAP.\n"
    )


def _paths(kept: Mapping[str, Any]) -> str:
    rows = []
    for name, row in _group(kept, "control/paths/").items():
        told = row["details"]
        cells = [f"{told['searches']:,}", str(told["missed"]), f"{100 * told['worst']:.1f} %"]
        rows.append([name.removeprefix("width "), *cells])
    return table(["width", "searches", "missed by extended Dijkstra", "most that was lost"], rows)


def _growth(grown: Mapping[str, Any]) -> str:
    rows = []
    for name, row in grown.items():
        points = row["details"]["points"]
        told = ", ".join(
            f"{int(at):,}: {number(median)} / {number(most)}" for at, (median, most, _) in points.items()
        )
        low, *_, high = points
        rows.append(
            [
                growth.LABELS[name],
                f"{row['ours']:.2f} ± {row['details']['error']:.2f} ({int(low):,} to {int(high):,})",
                told,
            ]
        )
    return table(["over", "exponent of the median (range)", "median / 99 %, ms"], rows)


def _rest(rest: Mapping[str, Any]) -> str:
    rows = []
    for name, row in rest.items():
        peer = f"{row['peer_name']} {number(row['peer'])}" if row["peer"] is not None else ""
        others = "; ".join(f"{other} {number(value)}" for other, value in row["others"].items())
        cells = [
            row["quantity"],
            number(row["ours"]),
            "" if row["goal"] is None else number(row["goal"]["limit"]),
        ]
        rows.append([name.removeprefix("control/"), *cells, peer, others])
    return table(["what", "quantity", "ours", "goal", "theirs", "others"], rows)


def figure(kept: Mapping[str, Any]) -> None:
    """Draw ebits per slot against load for every router, with error bars."""
    plain = _group(kept, "control/routing/plain/")
    if not plain:
        return
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    drawn, axes = pyplot.subplots(figsize=(7.2, 4.8), layout="constrained")
    for name in _means(next(iter(plain.values()))):
        points = [
            (int(load), _means(row)[name], row["details"]["errors"][name]) for load, row in plain.items()
        ]
        loads, means, errors = zip(*points, strict=True)
        ours = name == "ours"
        axes.errorbar(
            loads,
            means,
            yerr=errors,
            label=name,
            capsize=2,
            marker="o" if ours else ".",
            linestyle="--" if name.startswith("single path") else "-",
            linewidth=2 if ours else 1,
        )
    axes.set(xlabel="pairs that ask in a slot", ylabel="ebits per slot")
    axes.grid(True, alpha=0.3)
    axes.legend(fontsize=8)
    drawn.savefig(FIGURE, dpi=120, metadata={"Software": None})
    pyplot.close(drawn)
