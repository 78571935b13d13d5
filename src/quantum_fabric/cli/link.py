"""``qfabric link``: entanglement over a distance, in one line."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from quantum_fabric.cli.quantities import LENGTH

if TYPE_CHECKING:
    from rich.console import Console

    from quantum_fabric.encoded import EncodedLink

EPILOG = """\b
Examples:
  qfabric link Bob --distance "200 km" --fidelity 0.98
  qfabric link Bob --distance "50 km" --fidelity 0.8 --hardware lab-best --pairs 20
  qfabric link Bob --distance "100 km" --fidelity 0.95 --error-correction steane --memories 48
  qfabric link UChicago_PME --source NU --network chicago --fidelity 0.9
  qfabric link UChicago_PME --source Fermilab_1 --network chicago --fidelity 0.9 --paths 2

\b
Hardware of the chain of repeaters that is planned for a distance:
  today       what laboratories have shown
  lab-best    the best of each, in one machine (a projection)
  future      what roadmaps promise (a projection)

A link that cannot be had is refused with its reason and an offer that would be accepted (exit code 1).
"""


@click.command("link", epilog=EPILOG)
@click.argument("destination")
@click.option(
    "--distance", "-l", metavar="LENGTH", type=LENGTH, help='Fibre between the ends, such as "200 km".'
)
@click.option(
    "--fidelity", "-f", type=float, default=0.9, show_default=True, help="Least fidelity of each pair."
)
@click.option("--pairs", "-n", type=int, default=5, show_default=True, help="How many pairs.")
@click.option("--rate", "-r", type=float, default=0.0, help="Least mean rate in pairs per second.")
@click.option(
    "--hardware",
    type=click.Choice(["today", "lab-best", "future"]),
    default="future",
    show_default=True,
    help="Devices of the chain.",
)
@click.option("--source", default="Alice", show_default=True, help="The near end.")
@click.option(
    "--memories",
    "-m",
    type=int,
    help="Memory slots of each node of the chain; the data sheet's where left out.",
)
@click.option(
    "--error-correction",
    metavar="CODE",
    help="Repeaters correct errors with this code (steane, bacon-shor, repetition-3, ...) and hand out logical pairs.",
)
@click.option("--network", metavar="NETWORK", help="Ask on this network instead of over a distance.")
@click.option(
    "--paths",
    type=int,
    default=1,
    show_default=True,
    help="Disjoint paths of the network that serve it at once: their rates add up.",
)
@click.option("--seed", "-s", type=int, default=1, show_default=True, help="Of every random draw.")
def command(
    destination: str, distance: float | None, fidelity: float, pairs: int, rate: float, hardware: str, source: str,
    memories: int | None, error_correction: str | None, network: str | None, paths: int, seed: int,
) -> int:  # fmt: skip
    """Ask for entangled pairs with DESTINATION and print each as it comes.

    How many repeaters, how to swap and purify, with what settings: all that is planned. The same as
    quantum_fabric.request_link(...) in Python.
    """
    from quantum_fabric import api
    from quantum_fabric.cli.screen import console, show_cautions, show_forecast, show_refusal
    from quantum_fabric.errors import InputError
    from quantum_fabric.messages import Refused
    from quantum_fabric.units import show_time

    if distance is None and network is None:
        raise InputError("neither", 'a length such as "200 km" (or --network)', "--distance")
    out = console()
    way = _way(memories, error_correction)
    kilometres = None if distance is None else distance / 1000.0
    if error_correction is not None:
        coded = api.request_link(
            destination, kilometres, fidelity, source=source, pairs=pairs, rate=rate, hardware=hardware, memories=memories,
            paths=paths, error_correction=error_correction, network=network, seed=seed,
        )  # fmt: skip
        if isinstance(coded, Refused):
            show_refusal(out, coded, _again(coded, distance, hardware, network, way))
            return 1
        return show_logical(out, coded)
    link = api.request_link(
        destination, kilometres, fidelity, source=source, pairs=pairs, rate=rate, hardware=hardware, memories=memories,
        paths=paths, network=network, seed=seed,
    )  # fmt: skip
    if isinstance(link, Refused):
        show_refusal(out, link, _again(link, distance, hardware, network, way))
        return 1
    for plan in (link.plan, *link.others):
        out.print(f"[bold]{' – '.join(plan.path)}[/]")
        show_forecast(out, plan)
        show_cautions(out, plan.cautions)
    if link.others:
        from quantum_fabric.cli.plan import show_together

        out.print(show_together((link.plan, *link.others)))
    out.print()
    with link:
        for pair in link:
            low, high = pair.interval
            out.print(
                f"{pair.delivered.number:4d}  {pair.bell}  fidelity {pair.fidelity:.4f} \\[{low:.4f}, {high:.4f}]  "
                f"delivered {show_time(pair.delivered_at, 6)}  [dim]good until {show_time(pair.expires_at, 6)}[/]"
            )
            use_up(pair)
    outcome = link.outcome
    if outcome is not None:
        out.print(f"{outcome.status.value}: {outcome.delivered} of {pairs} pairs. {outcome.reason}".rstrip())
    return 0 if outcome is None or outcome.status.value == "completed" else 1


def use_up(pair: object) -> None:
    """Hand a pair over at once, so that its memories serve the next one."""
    from quantum_fabric.errors import StateError
    from quantum_fabric.services.link import Pair

    assert isinstance(pair, Pair)
    # it may have expired while the one before it was measured; that is no fault of the link
    with suppress(StateError):
        pair.measure("Z")


def show_logical(out: Console, link: EncodedLink) -> int:
    """Print an encoded link's plan, and each logical pair as it comes."""
    from quantum_fabric.units import show_time

    plan, segments = link.plan, link.plan.segments
    estimate = plan.logical.fidelity
    rounds = (
        f", {segments.rounds} round{'s'[: segments.rounds > 1]} of purification" if segments.rounds else ""
    )
    out.print(
        f"[bold]{plan.path[0]} – {plan.path[-1]}[/] in {len(segments.links)} segments: {segments.code.title}"
    )
    out.print(
        f"each collects {segments.code.n} pairs from {segments.lanes} lanes in {show_time(plan.window, 3)}{rounds}; "
        f"{plan.success:.1%} of the rounds are complete"
    )
    out.print(
        f"expected: {plan.rate:.4g} logical pairs/s of fidelity {estimate.value:.4f} "
        f"\\[{estimate.low:.4f}, {estimate.high:.4f}], first after {show_time(plan.first, 3)}"
    )
    for caution in plan.cautions:
        out.print(f"[yellow]{caution}[/]")
    out.print()
    with link:
        for pair in link:
            low, high = pair.interval
            out.print(
                f"{pair.number:4d}  {pair.bell.symbol}  fidelity {pair.fidelity:.4f} \\[{low:.4f}, {high:.4f}]  "
                f"delivered {show_time(pair.delivered_at, 6)}"
            )
            pair.measure("Z")
    outcome = link.outcome
    assert outcome is not None
    out.print(
        f"{outcome.status.value}: {outcome.delivered} of {link.request.pairs} pairs in {link.rounds} rounds."
    )
    return 0


def _way(memories: int | None, error_correction: str | None) -> str:
    return (f" --memories {memories}" if memories else "") + (
        f" --error-correction {error_correction}" if error_correction else ""
    )


def _again(refused: object, distance: float | None, hardware: str, network: str | None, way: str) -> str:
    from quantum_fabric.messages import Refused

    assert isinstance(refused, Refused)
    offer = refused.offer
    if offer is None:
        return ""
    from quantum_fabric.units import show

    where = (
        f"--network {network} --source {offer.source}"
        if network
        else f'--distance "{show(distance or 0.0, "length", 9)}" --hardware {hardware}'
    )
    rate = f" --rate {offer.rate:.6g}" if offer.rate else ""
    rate += f" --paths {offer.route.paths}" if offer.route.paths != 1 else ""
    return f"qfabric link {offer.destination} {where} --fidelity {offer.fidelity:.6g} --pairs {offer.pairs}{rate}{way}"
