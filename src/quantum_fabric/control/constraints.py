"""Where a path may go: constraints of a request as a smaller network, and what to give up where that is too small."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from quantum_fabric.messages import Code, LinkRequest, Plan, Refused, Route
from quantum_fabric.network.topology import Topology

MOST_TRIED = 16
"""Broken constraints among which the fewest to give up are looked for; with more of them, all are given up."""


class Closed(NamedTuple):
    """What a request must not use."""

    nodes: frozenset[str]
    links: frozenset[str]


OPEN = Closed(frozenset(), frozenset())
"""Nothing is closed."""


class Broken(NamedTuple):
    """A constraint that a path breaks: the field of `Route`, and the name in it (for ``trusted``: that is missing in it)."""

    field: str
    name: str


def closed(topology: Topology, request: LinkRequest, beside: Mapping[str, Plan]) -> Closed:
    """What the constraints of a request close to it.

    Args:
        topology: the whole network.
        request: with its route.
        beside: plans of the requests that it is to be disjoint from, and of those that are to be disjoint from it.

    Examples:
        >>> from quantum_fabric.documents import inventory, load_network, topology
        >>> chicago = topology(inventory(load_network("chicago")))
        >>> closed(chicago, LinkRequest("NU", "Argonne_1", 0.9, route=Route(avoid=("StarLight",))), {}).nodes
        frozenset({'StarLight'})
    """
    route, ends = request.route, {request.source, request.destination}
    nodes = {name for name in route.avoid if name in topology.nodes}
    links = {name for name in route.avoid if name in topology.links}
    if route.trusted is not None:
        nodes |= set(topology.nodes) - set(route.trusted) - ends
    for plan in beside.values():
        nodes |= set(plan.path[1:-1]) - ends
        links |= {link.link for link in plan.links}
    return Closed(frozenset(nodes), frozenset(links)) if nodes or links else OPEN


def without(topology: Topology, shut: Closed) -> Topology:
    """The topology without what is closed."""
    return topology if shut == OPEN else topology.without(links=shut.links, nodes=shut.nodes)


def unknown(topology: Topology, request: LinkRequest, known: Mapping[str, Plan]) -> Refused | None:
    """A refusal where a constraint names what is not there; None where all names are known.

    Args:
        topology: the whole network.
        request: with its route.
        known: plans of the requests that ``disjoint`` may name.
    """
    route = request.route
    for name in (*route.avoid, *(route.trusted or ())):
        if name not in topology.nodes and name not in topology.links:
            return Refused(
                request.name, Code.OTHER, f"constraint on {name}", f"no node or link is called {name}"
            )
    for name in route.trusted or ():
        if name not in topology.nodes:
            return Refused(
                request.name, Code.OTHER, f"constraint on {name}", f"{name} is a link; nodes are trusted"
            )
    for name in route.disjoint:
        if name not in known:
            reason = f"no open request is called {name}, so nothing can be disjoint from it"
            left = tuple(each for each in route.disjoint if each in known)
            offer = replace(request, name="", key="", route=replace(route, disjoint=left))
            return Refused(request.name, Code.OTHER, f"constraint disjoint from {name}", reason, offer)
    return None


def broken_by(plan: Plan, request: LinkRequest, beside: Mapping[str, Plan]) -> list[Broken]:
    """Which constraints of a request a path breaks, in the order of the path.

    Args:
        plan: made without them.
        request: with its route.
        beside: as for `closed`.
    """
    route, inner = request.route, plan.path[1:-1]
    used = [*inner, *(link.link for link in plan.links)]
    found = [Broken("avoid", name) for name in used if name in route.avoid]
    if route.trusted is not None:
        found += [Broken("trusted", name) for name in inner if name not in route.trusted]
    for name, other in beside.items():
        theirs = {*other.path[1:-1], *(link.link for link in other.links)} - {
            request.source,
            request.destination,
        }
        if theirs & set(used):
            found.append(Broken("disjoint", name))
    return found


def loosened(route: Route, given_up: Sequence[Broken]) -> Route:
    """A route without some of its constraints.

    Examples:
        >>> loosened(Route(avoid=("A", "B"), trusted=()), [Broken("avoid", "A"), Broken("trusted", "C")])
        Route(avoid=('B',), trusted=('C',), disjoint=(), paths=1)
    """
    drop = {(each.field, each.name) for each in given_up}
    more = tuple(each.name for each in given_up if each.field == "trusted")
    return Route(
        tuple(name for name in route.avoid if ("avoid", name) not in drop),
        None if route.trusted is None else (*route.trusted, *more),
        tuple(name for name in route.disjoint if ("disjoint", name) not in drop),
        route.paths,
    )


def fewest(broken: Sequence[Broken], serves: Callable[[Sequence[Broken]], bool]) -> list[Broken]:
    """A smallest set of constraints to give up: without any one of them it does not serve.

    Args:
        broken: giving up all of these serves.
        serves: whether giving up these does.

    Examples:
        >>> a, b, c = (Broken("avoid", name) for name in "ABC")
        >>> fewest([a, b, c], lambda given_up: b in given_up)
        [Broken(field='avoid', name='B')]
    """
    left = list(broken)
    if len(left) > MOST_TRIED:
        return left
    for each in broken:
        less = [other for other in left if other != each]
        if less and serves(less):
            left = less
    return left


def named(broken: Sequence[Broken]) -> str:
    """Constraints in words.

    Examples:
        >>> named([Broken("avoid", "A"), Broken("trusted", "C"), Broken("disjoint", "r")])
        'avoid A, trusted without C, disjoint from r'
    """
    words = {"avoid": "avoid", "trusted": "trusted without", "disjoint": "disjoint from"}
    return ", ".join(f"{words[each.field]} {each.name}" for each in broken)
