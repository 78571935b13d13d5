"""docs/explanation/performance.md, written from the results that ``--keep`` has kept: every number there was measured by a command."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.processes import ROOT

KEPT = Path(__file__).with_name("measured.json")
PAGE = ROOT / "docs" / "explanation" / "performance.md"
FIGURE = PAGE.parent / "figures" / "growth.svg"

HEAD = """\
# Performance

This page is written by `qfabric bench --keep` from `benchmarks/measured.json`. Do not edit it. All times are CPU time of one
process on one core, medians of three repetitions in which ours and the peers take turns. The machine was a shared server with
two cores and other work on them (its load stands in the last table), which slows memory-bound runs most. Compare ratios. How to
repeat it: [run the benchmarks](../how-to/benchmarks.md).

That the fast engines compute the right thing is tested apart from their speed: `tests/oracles/test_reference_chain.py` (a table
by another program, exact means, no stall for one to ten memories) and `tests/contracts/test_native_engine.py` (the kernel makes
every event that the Python twin makes).
"""

WORKLOADS = """\
- **w1/dim**: one link of 20 km. A photon enters the fibre once in 20 times, so an attempt succeeds with p = 4.03e-4. Every pair
  is listed.
- **w2/17**: 17 nodes, hops of 20 km (0.2 dB/km, 100 µs), p = 0.1612, one memory per link end, fresh pairs with F = 0.99,
  memories with T1 = T2 = 0.75 s, perfect swaps as soon as possible. *messages*: every message takes the light's time, both ends
  estimate every pair. *statistics*: messages take no time and nobody estimates; the structured sampler is taken, which
  works the chain out without events, and beside it the kernel. *twin*: as *messages*, in Python, with
  admission, planning and leases.
- **w3/50**: 50 nodes, 74 links of 20 km, ten requests of 2 to 5 links at once, two memories per link end and request, with
  messages.
- **long/1000**: one pair over 1,000 nodes. *nested* and *asap*: every link makes one pair at the same moment, surely, and no
  other; news travels with the light. With *asap* it has to follow halves that were swapped in the meantime: a million letters.
  *instant*: links try again and again (p = 0.16), messages take no time. *messages*: the same, but messages take 100 ms end to
  end; all links go on meanwhile, so one pair waits for a million events.
- **mesh/1000**: 1,000 nodes on a square, links of about 19 km, 500 requests of 2 to 8 links at once, controller in Python. It
  admits, installs, renews and repairs; pairs are matched, judged and counted by the kernel, and recorded when asked for.
  *emission* is the chance that a photon enters the fibre: it sets how many pairs there are in a second. Plans are given;
  *admission* is what the planner needs for one request on the idle mesh.
"""

DIFFERENCES = """\
- *SeQUeNCe*: Python, every attempt simulated. Ends negotiate each attempt (4 L/c), swaps are nested, messages pair three nodes'
  protocols before each swap. Its pairs wait longer, so they are fewer per simulated second and worse. States: Bell-diagonal, as
  ours here.
- *ReQuSim*: Python, failed attempts are jumped over, density matrices. The swap rules are a script of ours on its public
  interface: no messages, no control plane. It has to be compared with *w2/17/statistics*; beside *messages* it does less than
  ours.
- *MQNS* (NIST) is not on the package index and *NetSquid* needs an account, so neither is run. NetSquid's paper (Commun. Phys.
  4, 164 (2021), figure 9; provenance R) shows about 2 s for one pair over 1,000 nodes with synchronised deterministic links,
  which is *long/1000/nested* here.
- *prototype*: a C++ program of ours that can do one job each and does not ship; its figures (provenance C, another day, an idle
  machine) are constants in `benchmarks/prototype.py`. Its chains are asked of ours as a user asks them: the engine that answers is a
  structured sampler, which has no events and the same law. Beside it, as */kernel* and without a goal, is our event kernel, which is
  what answers where rules suit no sampler. The program needs n + 1 events for a pair over n links; the kernel 3n + 3, because each
  herald is heard of at two ends, swaps are events and both ends confirm ([engines](engines.md)).
  On networks an event of the program is less than one of ours (it counts timers that have no meaning any more), so */pairs* has the
  share of delivered pairs
  for a CPU second. Its pairs were counted on a grid of 1,000 nodes, 23 events for each, and that is taken for the Waxman networks too.
  Its requests share eight memories of a link through a queue; ours lease two lanes each.
"""

MISSED = """\
- *prototype/waxman*: there is no sampler for networks, and pairs of several memories have their letters carried. The records of a
  thousand nodes do not fit into the fast caches.
- *hook/empty*: a call carries one small number; what is left is Python's own call.
- *long/1000/messages*: all links work on while the first pair grows together, which makes 300,000 events for it.
- *mesh/1000* with bright links: there are a quarter of a million pairs in a second, of 35 events each, and the records of a
  thousand nodes do not fit into the fast caches. Time passes faster than in reality where there are fewer.
- *start/native* and *startup/fabric*: most of it is importing documents and device models, and two tables of quadrature that are
  worked out at import.
"""


def keep(rows: Iterable[Mapping[str, Any]], machine: Mapping[str, Any], path: Path = KEPT) -> dict[str, Any]:
    """Put results where they stay, in place of older ones of the same name."""
    kept = read(path)
    for row in rows:
        if not row["failure"]:
            kept[row["name"]] = {**row, "machine": dict(machine)}
    ordered = {name: kept[name] for name in sorted(kept)}
    path.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return ordered


def read(path: Path = KEPT) -> dict[str, Any]:
    """What was kept: rows by name."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def page(kept: Mapping[str, Any]) -> str:
    """The page, from what was kept."""
    parts = [
        HEAD,
        "## Goals\n",
        goals(kept),
        WORKLOADS,
        "### What differs\n",
        DIFFERENCES,
        "## What was simulated\n",
        physics(kept),
    ]
    if "growth/native" in kept:
        parts += ["## Growth\n", growth(kept)]
    if any(name.startswith("chain/") for name in kept):
        parts += ["## Chains on the twin\n", chains(kept)]
    parts += ["## When\n", when(kept)]
    return "\n".join(parts)


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """A table in Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows), ""])


def goals(kept: Mapping[str, Any]) -> str:
    """Ours, peers, ratios, goals and counts."""
    rows = []
    for name, row in kept.items():
        if name.startswith(("chain/", "growth/")):
            continue
        peers = dict(row["others"])
        if row["peer"] is not None:
            peers = {row["peer_name"]: row["peer"], **peers}
        more = row["goal"] is not None and row["goal"]["at_least"]
        beside = [
            f"{peer} {number(value)} ({number(row['ours'] / value if more else value / row['ours'])}x)"
            for peer, value in peers.items()
        ]  # fmt: skip
        counted = "" if row["count"] is None else f"{number(row['count'])} {row['counted']}"
        live = row["details"].get("live", {})
        if live.get("pairs"):
            counted = f"{number(1e6 * live['cpu'] / live['pairs'])} CPU µs/pair"
        rows.append(
            [
                name,
                row["quantity"],
                number(row["ours"]),
                limit(row["goal"]),
                row["verdict"],
                "; ".join(beside),
                counted,
            ]
        )
    return table(["benchmark", "quantity", "ours", "goal", "met", "peers (ratio)", "count"], rows)


def limit(goal: Mapping[str, Any] | None) -> str:
    """A goal in words."""
    return "" if goal is None else f"{'≥' if goal['at_least'] else '≤'} {number(goal['limit'])}"


def physics(kept: Mapping[str, Any]) -> str:
    """What ours and the peers simulated, which has to be told beside the times."""
    rows = []
    for name, row in kept.items():
        if name.startswith("chain/") or not row["details"].get("ours", {}).get("pairs"):
            continue
        told = {"ours": row["details"]["ours"], row["peer_name"]: row["details"].get("peer")}
        told |= {
            key.removeprefix("peer "): each for key, each in row["details"].items() if key.startswith("peer ")
        }
        for who, each in told.items():
            if each:
                span = (each["cpu_ms_per_pair_least"], each["cpu_ms_per_pair_most"])
                rows.append(
                    [
                        name, who, f"{each['pairs']:,}", number(each["events_per_pair"]), f"{each['simulated_ms_per_pair']:.4g}",
                        f"{each['fidelity']:.4f}", " to ".join(number(1e3 * end) for end in span),
                    ]
                )  # fmt: skip
    head = [
        "benchmark",
        "who",
        "pairs",
        "events/pair",
        "simulated ms/pair",
        "mean fidelity",
        "CPU µs/pair, least to most",
    ]
    return table(head, rows)


def growth(kept: Mapping[str, Any]) -> str:
    """CPU for a virtual second by nodes, with the exponents."""
    native, live = kept["growth/native"], kept.get("growth/controller")
    sizes = [size for size, _ in native["details"]["points"]]
    columns = {"kernel alone": native["details"]["points"]}
    if live:
        columns |= {
            "controller attached": live["details"]["points"],
            "admit and install, once": live["details"]["setups"],
        }
    rows = [
        [f"{size:,}", *(number(dict(map(tuple, points)).get(size)) for points in columns.values())] for size in sizes
    ]  # fmt: skip
    said = f"CPU seconds for a virtual second grow as nodes to the power {native['ours']:.2f} in the kernel alone"
    if live:
        said += f" and {live['ours']:.2f} with the controller attached"
    text = f"The mesh with half as many requests as nodes, emission 0.3.\n{said}.\n\n![growth](figures/{FIGURE.name})\n\n"
    return text + table(["nodes", *(f"{name}, CPU s" for name in columns)], rows)


def chains(kept: Mapping[str, Any]) -> str:
    """The Python twin on chains of other lengths."""
    rows = []
    for nodes in (3, 5, 9, 17):
        found = [kept.get(f"chain/{nodes}/{rules}") for rules in ("messages", "instant", "nested")]
        if all(found):
            peer = found[0]["peer"]  # type: ignore[index]
            ratio = f" ({number(peer / found[0]['ours'])}x)" if peer else ""  # type: ignore[index]
            rows.append([str(nodes), *(number(row["ours"]) for row in found if row), number(peer) + ratio])
    return (
        table(["nodes", "messages", "instant", "nested", "SeQUeNCe"], rows)
        + "\nCPU milliseconds for a pair.\n"
    )


def when(kept: Mapping[str, Any]) -> str:
    """When, where and beside how much other work each was measured."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, row in kept.items():
        machine = row["machine"]
        key = (
            machine["at"],
            machine["python"],
            machine["platform"],
            str(machine["cores"]),
            str(machine["load"]),
        )
        groups.setdefault(key, []).append(name.split("/")[0])
    rows = [[", ".join(dict.fromkeys(names)), *key] for key, names in groups.items()]
    return table(["benchmarks", "at", "Python", "platform", "cores", "load"], rows)


def number(value: float | None) -> str:
    """Three digits or four.

    Examples:
        >>> number(12345.6), number(0.98765), number(None)
        ('12,346', '0.988', '-')
    """
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def write(kept: Mapping[str, Any]) -> None:
    """Write the page and its figure."""
    PAGE.write_text(page(kept), encoding="utf-8")
    if "growth/native" in kept:
        figure(kept)


def figure(kept: Mapping[str, Any]) -> None:
    """Draw how cost grows."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "quantum-fabric"
    from matplotlib import pyplot

    drawn, axes = pyplot.subplots(figsize=(6.4, 4.0), layout="constrained")
    lines = [("growth/native", "points", "kernel alone, a virtual second", "o-")]
    lines += [
        ("growth/controller", "points", "controller attached, a virtual second", "s-"),
        ("growth/controller", "setups", "admit and install, once", "^--"),
    ]
    for name, key, label, style in lines:
        points = kept.get(name, {}).get("details", {}).get(key, [])
        if points:
            axes.loglog(*zip(*points, strict=True), style, label=label)
    axes.axhline(1.0, color="grey", linewidth=0.8)
    axes.annotate("real time", (100, 1.0), xytext=(0, 3), textcoords="offset points", color="grey")
    axes.set(xlabel="nodes (half as many requests)", ylabel="CPU seconds on one core")
    axes.grid(True, which="major", alpha=0.3)
    axes.legend()
    FIGURE.parent.mkdir(exist_ok=True)
    drawn.savefig(FIGURE, metadata={"Date": None})
    pyplot.close(drawn)
