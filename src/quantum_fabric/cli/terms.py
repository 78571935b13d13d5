"""Options for what a request may ask beyond pairs, fidelity and rate, and the answer of a controller to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from quantum_fabric.cli.quantities import TIME

if TYPE_CHECKING:
    from quantum_fabric.messages import Explained, LinkRequest
    from quantum_fabric.network import Topology

Command = TypeVar("Command", bound=Callable[..., Any])

BELLS = {"phi+": "PHI_PLUS", "phi-": "PHI_MINUS", "psi+": "PSI_PLUS", "psi-": "PSI_MINUS"}
"""Bell states as they are typed, and their names."""

OPTIONS = (
    click.option(
        "--confidence", type=float, default=0.95, show_default=True,
        help="Probability with which the deadline is met; above 0.95 also the share of pairs that reach the fidelity.",
    ),
    click.option("--jitter", metavar="T", type=TIME, help="Most that the time between two pairs may deviate from its mean."),
    click.option("--avoid", metavar="NAME", multiple=True, help="A node or link that the path must not use (may be repeated)."),
    click.option("--trusted", metavar="NAME", multiple=True, help="A node that may be a repeater, and no other (may be repeated)."),
    click.option("--direct", is_flag=True, help="No repeaters at all: trust nobody between the ends."),
    click.option("--window", metavar="T", type=TIME, help="All pairs alive together, the oldest no older than this."),
    click.option(
        "--promise", type=click.Choice(["delivery", "end", "average"]), default="delivery", show_default=True,
        help="When the fidelity must hold: of each pair at its delivery, at the end of its set, or on average.",
    ),
    click.option(
        "--paths", type=int, default=1, show_default=True,
        help="Disjoint paths that serve it at once: their rates add up, each keeps the fidelity.",
    ),
    click.option(
        "--service", type=click.Choice(["keep", "measure", "prepare"]), default="keep", show_default=True,
        help="What the ends do: keep both halves, measure both at once, or measure one so that the other is prepared.",
    ),
    click.option("--bell", type=click.Choice(list(BELLS)), help="The Bell state that is wanted; any, by its name, without it."),
    click.option("--tenant", metavar="NAME", default="", help="Who asks, for quotas and fair shares."),
    click.option("--hold", is_flag=True, help="Pairs stay in memory until they are used: the ends must have room."),
)  # fmt: skip


def terms(command: Command) -> Command:
    """Give a command these options."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def with_terms(request: LinkRequest, said: dict[str, Any]) -> LinkRequest:
    """The request with what the options say.

    Raises:
        InputError: contradictions.
    """
    from dataclasses import replace

    from quantum_fabric.control.sense import check_request
    from quantum_fabric.errors import InputError
    from quantum_fabric.messages import Bell, Promise, Route, Service

    if said["direct"] and said["trusted"]:
        raise InputError("--direct beside --trusted", "one of them", "--trusted")
    trusted = () if said["direct"] else said["trusted"] or None
    promise = Promise(said["promise"])
    made = replace(
        request, confidence=said["confidence"], jitter=said["jitter"], window=said["window"], promise=promise,
        hold=said["hold"] or said["window"] is not None or promise is Promise.END,
        route=Route(said["avoid"], trusted, paths=said["paths"]), service=Service(said["service"]), tenant=said["tenant"],
        bell=None if said["bell"] is None else Bell[BELLS[said["bell"]]],
    )  # fmt: skip
    check_request(made)
    return made


def explained(topology: Topology, request: LinkRequest) -> Explained:
    """What a controller of the idle network answers, and why."""
    from dataclasses import replace

    from quantum_fabric.control import Controller
    from quantum_fabric.messages import Explain, Explained, Send

    for action in Controller(topology).handle(Explain(replace(request, name="plan")), 0):
        if isinstance(action, Send) and isinstance(action.message, Explained):
            return action.message
    raise AssertionError("a controller explains at once")


def as_options(request: LinkRequest) -> list[str]:
    """What must be typed to ask for a request's terms again; nothing for the usual ones.

    Examples:
        >>> from quantum_fabric.messages import LinkRequest, Route
        >>> as_options(LinkRequest("A", "B", 0.9, confidence=0.99, route=Route(avoid=("C",), trusted=())))
        ['--confidence 0.99', '--avoid "C"', '--direct']
    """
    from quantum_fabric.units import show_time

    route = request.route
    words = [f"--confidence {request.confidence:.6g}"] if request.confidence != 0.95 else []
    words += [f'--jitter "{show_time(request.jitter, 6)}"'] if request.jitter is not None else []
    words += [f'--avoid "{name}"' for name in route.avoid]
    words += ["--direct"] if route.trusted == () else [f'--trusted "{name}"' for name in route.trusted or ()]
    words += [f'--window "{show_time(request.window, 6)}"'] if request.window is not None else []
    words += [f"--promise {request.promise.value}"] if request.promise.value != "delivery" else []
    words += [f"--paths {route.paths}"] if route.paths != 1 else []
    words += [f"--service {request.service.value}"] if request.service.value != "keep" else []
    bell = next(
        (typed for typed, name in BELLS.items() if request.bell is not None and name == request.bell.name), ""
    )
    words += [f"--bell {bell}"] if bell else []
    words += [f'--tenant "{request.tenant}"'] if request.tenant else []
    words += ["--hold"] if request.hold and request.window is None and request.promise.value != "end" else []
    return words
