"""One controller, a controller for each domain, a controller at each node: the same requests on the same twin.

    python -m benchmarks.control.distributed             all topologies (some minutes)
    python -m benchmarks.control.distributed --quick     two topologies, short
    python -m benchmarks.control.distributed --keep      kept in distributed.json, and the figure drawn anew

Poisson requests between random nodes, each for five pairs of fidelity 0.7 within 2 s; loads in requests per second. What is measured
of each seating:

    done        share of requests that got all their pairs by the deadline
    pairs/s     delivered
    set-up      from the request to the first pair, median of those that got one
    letters     between controllers, for each request (flooding included); the central one has none
    stale       refusals by a domain of what its last link state had told, for each request
"""

from __future__ import annotations

import argparse
import json
import random
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.records import Row
from quantum_fabric import documents
from quantum_fabric.devices import Gates, Memory, Node
from quantum_fabric.documents import Inventory, LinkEntry
from quantum_fabric.fabric import Fabric
from quantum_fabric.federation import Domain, Federation
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.messages import Delivered, LinkRequest, Outcome, Status
from quantum_fabric.units import MS, SECOND, US, Time

if TYPE_CHECKING:
    from benchmarks.run import Run

SEATINGS = ("central", "domains", "nodes")
KEPT = Path(__file__).with_name("distributed.json")
FIGURE = Path(__file__).parents[2] / "docs" / "explanation" / "figures" / "distributed.png"
FLOOR, PAIRS, PATIENCE = 0.7, 5, 2 * SECOND
REFRESH: Time = 200 * MS

Network = tuple[Inventory, dict[str, Domain]]


def built(edges: list[tuple[str, str]], groups: dict[str, list[str]], hop: Time) -> Network:
    """Equal nodes and links; classical delays of ``hop`` for each hop of the shortest way."""
    import networkx

    graph = networkx.Graph(edges)
    hops = dict(networkx.all_pairs_shortest_path_length(graph))
    device = Node(
        memory=Memory(10.0, 1.0),
        gates=Gates(depolarising_2=0.002, gate_time=50 * US, readout_time=50 * US),
        slots=6,
    )
    rest = 0.01 / 3.0
    model = FixedLink(0.01, (0.99, rest, rest, rest), 100 * US, heard=(100 * US, 100 * US))
    links = {f"{a}~{b}": LinkEntry(f"{a}~{b}", a, b, model, 0.0, hop) for a, b in edges}
    nodes = dict.fromkeys(sorted(graph), device)
    delays = {(a, b): hop * hops[a][b] for a in nodes for b in nodes}
    network = Inventory(
        nodes=nodes, links=links, delays=delays, controller=networkx.center(graph)[0], positions={}, title="",
        relays=frozenset(nodes),
    )  # fmt: skip
    return network, {name: Domain(tuple(members)) for name, members in groups.items()}


def grid(side: int, hop: Time) -> Network:
    """A square of nodes; its quarters are domains."""
    names = {(x, y): f"g{x}{y}" for x in range(side) for y in range(side)}
    edges = [(names[x, y], names[x + 1, y]) for x in range(side - 1) for y in range(side)]
    edges += [(names[x, y], names[x, y + 1]) for x in range(side) for y in range(side - 1)]
    groups: dict[str, list[str]] = {}
    for (x, y), name in names.items():
        groups.setdefault(f"d{2 * x // side}{2 * y // side}", []).append(name)
    return built(edges, groups, hop)


def ring(domains: int, size: int, hop: Time) -> Network:
    """Domains in a ring, each a chain."""
    rows = {f"d{k}": [f"r{k}{j}" for j in range(size)] for k in range(domains)}
    line = [name for row in rows.values() for name in row]
    return built([*pairwise(line), (line[-1], line[0])], rows, hop)


def scattered(count: int, seed: int, hop: Time) -> Network:
    """A random tree with a third more links; its domains are communities."""
    import networkx

    dice = random.Random(seed)
    names = [f"n{k:02}" for k in range(count)]
    edges = {(names[dice.randrange(max(0, k - 4), k)], names[k]) for k in range(1, count)}
    while len(edges) < 4 * count // 3:
        a, b = sorted(dice.sample(names, 2))
        edges.add((a, b))
    parts = networkx.community.greedy_modularity_communities(networkx.Graph(sorted(edges)), best_n=4)
    return built(sorted(edges), {f"d{k}": sorted(part) for k, part in enumerate(parts)}, hop)


def chicago(hop: Time) -> Network:
    """The links of the bundled Chicago network with equal devices: north, Fermilab, Argonne."""
    real = documents.inventory(documents.load_network("chicago"))
    edges = [(link.a, link.b) for link in real.links.values()]
    groups: dict[str, list[str]] = {}
    for name in real.nodes:
        groups.setdefault(name[:3] if name[:3] in ("Fer", "Arg") else "north", []).append(name)
    return built(edges, groups, hop)


TOPOLOGIES = {
    "Chicago": chicago,
    "ring of 4 domains": lambda hop: ring(4, 4, hop),
    "grid 4 x 4": lambda hop: grid(4, hop),
    "random 16": lambda hop: scattered(16, 1, hop),
    "random 24": lambda hop: scattered(24, 2, hop),
}
QUICK = ("Chicago", "ring of 4 domains")


def fabric_of(seating: str, network: Network, seed: int) -> Fabric:
    """The same plant with its controllers seated in one of three ways."""
    inventory, domains = network
    if seating == "central":
        return Fabric(inventory, seed=seed)
    if seating == "nodes":
        domains = {f"at {name}": Domain((name,)) for name in inventory.nodes}
    return Federation(inventory, domains, seed=seed, refresh=REFRESH)


def served(seating: str, network: Network, load: float, seconds: float, seed: int) -> dict[str, Any]:
    """One run."""
    dice = random.Random(f"{seed}/{load}")
    fabric = fabric_of(seating, network, seed)
    start = fabric.now + SECOND
    names = sorted(network[0].nodes)
    asked: dict[str, Time] = {}
    clock = 0.0
    while (clock := clock + dice.expovariate(load)) < seconds:
        at = start + int(clock * SECOND)
        source, destination = dice.sample(names, 2)
        wish = LinkRequest(source, destination, FLOOR, pairs=PAIRS, deadline=at + PATIENCE)
        asked[fabric.submit(wish, at)] = at
    fabric.run(start + int(seconds * SECOND) + PATIENCE + SECOND)
    replies = {name: fabric.replies(name) for name in asked}
    ends = [next(each for each in heard if isinstance(each, Outcome)) for heard in replies.values()]
    pairs = {name: [each for each in heard if isinstance(each, Delivered)] for name, heard in replies.items()}
    waits = [(got[0].delivered_at - asked[name]) / MS for name, got in pairs.items() if got]
    letters = fabric.letters if isinstance(fabric, Federation) else {}
    count = max(1, len(asked))
    return {
        "seating": seating, "load": load, "requests": len(asked),
        "done": sum(end.status is Status.COMPLETED for end in ends) / count,
        "pairs": sum(map(len, pairs.values())) / seconds,
        "setup": median(waits) if waits else None,
        "letters": sum(number for kind, number in letters.items() if kind not in ("lost", "doubled")) / count,
        "stale": letters.get("SegmentRefused", 0) / count,
    }  # fmt: skip


def measure(quick: bool) -> list[dict[str, Any]]:
    """All runs."""
    rows = []
    loads, hops, seconds = ((5.0,), (100,), 3.0) if quick else ((4.0, 32.0), (100, 2000), 4.0)
    for title in QUICK if quick else TOPOLOGIES:
        for hop in hops:
            for load in loads:
                for seating in SEATINGS:
                    row = served(seating, TOPOLOGIES[title](hop * US), load, seconds, 1)
                    rows.append({"topology": title, "hop_us": hop, **row})
                    print(line(rows[-1]), flush=True)
    return rows


def rows(run: Run) -> list[Row]:
    """Lines for `qfabric bench control`: what each seating serves, one network at one load; the whole table is in distributed.json."""
    found = []
    for title in QUICK[:1] if run.quick else QUICK:
        for hop in (100, 2000):
            run.progress(f"controllers on {title}")
            network, seconds = TOPOLOGIES[title](hop * US), 2.0 if run.quick else 4.0
            got = {seating: served(seating, network, 8.0, seconds, 1) for seating in SEATINGS}
            setups = {
                f"{name}: set-up, ms": each["setup"]
                for name, each in got.items()
                if each["setup"] is not None
            }
            found.append(
                Row(
                    name=f"control/distributed/{title}, {hop / 1000:g} ms a hop",
                    quantity="share of requests done, a controller at each node",
                    ours=got["nodes"]["done"],
                    goal=None,
                    others={"central": got["central"]["done"], "domains": got["domains"]["done"], **setups},
                    details=got,
                )
            )
    return found


def line(row: dict[str, Any]) -> str:
    """One row as text."""
    setup = "-" if row["setup"] is None else f"{row['setup']:.0f}"
    return (
        f"| {row['topology']} | {row['hop_us'] / 1000:g} | {row['load']:g} | {row['seating']} | {100 * row['done']:.0f} % "
        f"| {row['pairs']:.1f} | {setup} | {row['letters']:.1f} | {row['stale']:.2f} |"
    )


def draw(rows: list[dict[str, Any]]) -> None:
    """Requests done against load, for each topology; solid with short delays, dashed with long ones."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    titles = list(dict.fromkeys(row["topology"] for row in rows))
    figure, axes = pyplot.subplots(
        1, len(titles), figsize=(3.0 * len(titles), 3.2), sharey=True, squeeze=False
    )
    styles = dict(zip(sorted({row["hop_us"] for row in rows}), ("-", "--"), strict=False))
    for axis, title in zip(axes[0], titles, strict=True):
        for colour, seating in enumerate(SEATINGS):
            for hop, style in styles.items():
                mine = [
                    r for r in rows if (r["topology"], r["seating"], r["hop_us"]) == (title, seating, hop)
                ]
                label = f"{seating}, {hop / 1000:g} ms a hop"
                axis.plot(
                    [r["load"] for r in mine],
                    [r["done"] for r in mine],
                    style,
                    color=f"C{colour}",
                    marker="o",
                    label=label,
                )
        axis.set(title=title, xlabel="requests per second", xscale="log", ylim=(0.0, 1.05))
        loads = sorted({row["load"] for row in rows})
        axis.set_xticks(loads, [f"{load:g}" for load in loads])
        axis.minorticks_off()
    axes[0][0].set_ylabel("done by the deadline")
    axes[0][-1].legend(fontsize=6, handlelength=4)
    figure.tight_layout()
    figure.savefig(FIGURE, dpi=110)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="two topologies, one load")
    parser.add_argument("--keep", action="store_true", help="keep the results and draw the figure")
    given = parser.parse_args()
    print(
        "| topology | hop ms | load 1/s | seating | done | pairs/s | set-up ms | letters | stale |\n"
        + "|---" * 9
        + "|"
    )
    rows = measure(given.quick)
    if given.keep:
        KEPT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        draw(rows)


if __name__ == "__main__":
    main()
