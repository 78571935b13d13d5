"""``qfabric plan``: how a request would be served, and why so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from quantum_fabric.cli.quantities import TIME
from quantum_fabric.cli.terms import as_options, explained, terms, with_terms
from quantum_fabric.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.tree import Tree

    from quantum_fabric.messages import LinkRequest, Plan
    from quantum_fabric.network import Survey, Topology
    from quantum_fabric.units import Time

SHOWN = 6
"""Alternatives that are shown without ``--all``."""

EPILOG = """\b
Examples:
  qfabric plan chicago NU UChicago_PME --fidelity 0.9
  qfabric plan chicago NU Argonne_1 --fidelity 0.95 --pairs 100 --rate 2
  qfabric plan my-network.yaml A B --fidelity 0.9 --deadline "5 s"
  qfabric plan chicago NU Argonne_1 --fidelity 0.9 --law --figure law.svg
  qfabric plan chicago NU Argonne_1 --fidelity 0.9 --avoid StarLight --explain
  qfabric plan chicago NU Argonne_1 --fidelity 0.9 --deadline "1 s" --confidence 0.99
  qfabric plan chicago Fermilab_1 UChicago_PME --fidelity 0.9 --paths 2

A request that cannot be served is refused with the binding resource and an offer that would be accepted (exit code 1).
"""


@click.command("plan", epilog=EPILOG)
@click.argument("network")
@click.argument("source")
@click.argument("destination")
@click.option("--fidelity", "-f", type=float, required=True, help="Least fidelity of each pair, in (0.5, 1).")
@click.option("--pairs", "-n", type=int, default=1, show_default=True, help="How many pairs.")
@click.option("--rate", "-r", type=float, default=0.0, help="Least mean rate in pairs per second.")
@click.option(
    "--deadline", metavar="T", type=TIME, help='Time by which all pairs must be there, such as "5 s".'
)
@terms
@click.option(
    "--explain",
    is_flag=True,
    help="Say what binds, what is guaranteed with which probability, and all that lost.",
)
@click.option("--all", "every", is_flag=True, help="Show every alternative that was looked at.")
@click.option(
    "--law", is_flag=True, help="Show when pairs will be there, as probabilities and not only means."
)
@click.option("--figure", metavar="FILE", help="Draw that law into a file: .svg, .png or .pdf.")
@click.option(
    "--json", "as_json", is_flag=True, help="The plan (or refusal) and what lost as JSON, for programs."
)
def command(
    network: str,
    source: str,
    destination: str,
    fidelity: float,
    pairs: int,
    rate: float,
    deadline: Time | None,
    explain: bool,
    every: bool,
    law: bool,
    figure: str | None,
    as_json: bool,
    **said: Any,
) -> int:
    """Show how a request would be served on an idle network, without running anything.

    The chosen path, swap order, purification, cutoff and settings of the links, what they are expected to give, and
    the alternatives that lost, with reasons. A deadline must be met with a probability of 95 %, or of ``--confidence``.
    Constraints (``--avoid``, ``--trusted``, ``--direct``) are kept, or the refusal names the one that binds.
    """
    from quantum_fabric import documents
    from quantum_fabric.cli.screen import console, show_cautions, show_refusal
    from quantum_fabric.messages import LinkRequest, Refused
    from quantum_fabric.network import survey

    request = LinkRequest(source, destination, fidelity, pairs, rate, deadline)
    check_request(request)
    if figure is not None and not figure.endswith((".svg", ".png", ".pdf")):
        raise InputError(repr(figure), "a file that ends with .svg, .png or .pdf", "--figure")
    inventory = documents.inventory(documents.load_network(network))
    topology = documents.topology(inventory)
    usual, request = request, with_terms(request, said)
    others: tuple[Plan, ...] = ()
    if request == usual and not explain:
        found = survey(topology, request)
    else:
        found, others = _asked(topology, request)
    out = console()
    if figure is not None and not isinstance(found.chosen, Refused):
        _draw(figure, request, found.chosen)
    if as_json:
        _as_json(found, others)
        return int(isinstance(found.chosen, Refused))
    if isinstance(found.chosen, Refused):
        show_refusal(out, found.chosen, _again(network, found.chosen.offer))
        show_cautions(out, inventory.cautions)
        _alternatives(out, found, "closest that was found", every)
        return 1
    for number, plan in enumerate((found.chosen, *others)):
        if number:
            out.print()
        _chosen(
            out, topology, plan, found.label if number == 0 else f"path {number + 1} of {len(others) + 1}"
        )
    if others:
        _together(out, topology, request, (found.chosen, *others))
    if explain:
        _explain(out, topology, request)
    if law:
        from quantum_fabric.cli.plan_law import show_law

        show_law(out, found.chosen.forecast, pairs, deadline)
    if figure is not None:
        out.print(f"figure: {figure}")
    _alternatives(out, found, "what lost", every or explain)
    return 0


def _asked(topology: Topology, request: LinkRequest) -> tuple[Survey, tuple[Plan, ...]]:
    """What a controller answers to terms that the planner alone does not know, beside what lost; and plans of further paths."""
    from dataclasses import replace

    from quantum_fabric.control import Controller
    from quantum_fabric.control.admission import asked
    from quantum_fabric.messages import Accepted
    from quantum_fabric.network import survey

    said = explained(topology, request)
    open_to = Controller(topology).admission.open_to(request)
    found = survey(open_to, asked(request))
    if isinstance(said.answer, Accepted):
        others, label = said.answer.others, said.label
        if others:
            label = f"path 1 of {len(others) + 1}"
        return replace(found, request=request, chosen=said.answer.plan, label=label), others
    return replace(found, request=request, chosen=said.answer, label=""), ()


def show_together(plans: Sequence[Plan]) -> str:
    """What several paths give at once, in markup."""
    from quantum_fabric.network.joint import joint
    from quantum_fabric.ops.summary import show_number

    whole = joint([plan.forecast for plan in plans])
    rates = " + ".join(show_number(plan.forecast.rate) for plan in plans)
    return (
        f"together: {rates} = [bold]{show_number(whole.rate)} pairs/s[/], fidelity [bold]{whole.fidelity:.4f}[/] "
        f"(at least {whole.fidelity_low:.4f})"
    )


def _together(out: Console, topology: Topology, request: LinkRequest, plans: Sequence[Plan]) -> None:
    """The same, and when the pairs are there."""
    from quantum_fabric.control.telling import telling
    from quantum_fabric.network.finish import NEVER
    from quantum_fabric.network.joint import chance_together, finished_together
    from quantum_fabric.ops.summary import show_wait

    forecasts, news = [plan.forecast for plan in plans], telling(request, topology)
    what = "a pair" if request.pairs == 1 else f"{request.pairs} pairs"
    surely = finished_together(forecasts, request.pairs, request.confidence)
    when = "never" if surely >= NEVER else f"after {show_wait(surely + news)}"
    out.print()
    out.print(f"{show_together(plans)}; {what} {when} with {100 * request.confidence:.6g} % confidence")
    if request.deadline is not None:
        chance = chance_together(forecasts, request.pairs, max(0, request.deadline - news))
        out.print(f"{what} by the deadline: probability {chance:.4g}")


def _explain(out: Console, topology: Topology, request: LinkRequest) -> None:
    from quantum_fabric.cli.screen import table
    from quantum_fabric.control.supposing import guaranteed
    from quantum_fabric.control.telling import telling
    from quantum_fabric.messages import Accepted
    from quantum_fabric.units import show_time

    said = explained(topology, request)
    assert isinstance(said.answer, Accepted)
    promise = guaranteed(request, said.answer.plan, telling(request, topology), said.answer.others)
    out.print()
    out.print(f"what binds: {said.binding}")
    out.print(
        f"guaranteed: {promise.fidelity:.4f} or more for {max(0.95, promise.confidence):.4g} of the pairs"
    )
    rows = table("Probability", "All pairs by", right=("Probability", "All pairs by"))
    for level, time in promise.finish:
        rows.add_row(f"{100 * level:.4g} %", show_time(time, 3))
    out.print(rows)


def _draw(path: str, request: LinkRequest, plan: Plan) -> None:
    from quantum_fabric.ops.law_plot import write
    from quantum_fabric.units import seconds

    deadline = None if request.deadline is None else seconds(request.deadline)
    write(path, plan.forecast, request.fidelity, deadline, " – ".join(plan.path))


def _as_json(found: Survey, others: tuple[Plan, ...] = ()) -> None:
    """Everything that was decided, in the shapes of the journal."""
    import json

    from quantum_fabric.wire import encode

    shape = {
        "request": encode(found.request),
        "label": found.label,
        "chosen": encode(found.chosen),
        "others": [encode(plan) for plan in others],
        "alternatives": [
            {"label": each.label, "reason": each.reason, "plan": encode(each.plan)}
            for each in found.alternatives
        ],
    }
    click.echo(json.dumps(shape, indent=1))


def check_request(request: LinkRequest) -> None:
    """Refuse numbers that make no sense on any network.

    Raises:
        InputError: names the option.
    """
    rules = (
        (0.5 < request.fidelity < 1.0, "--fidelity", request.fidelity, "a fidelity in (0.5, 1)"),
        (request.pairs >= 1, "--pairs", request.pairs, "at least 1 pair"),
        (0.0 <= request.rate < float("inf"), "--rate", request.rate, "0 or more pairs per second"),
        (
            request.source != request.destination,
            "DESTINATION",
            request.destination,
            "a node other than the source",
        ),
    )
    for good, where, value, expected in rules:
        if not good:
            raise InputError(str(value), expected, where)


def _again(network: str, offer: LinkRequest | None) -> str:
    if offer is None:
        return ""
    from quantum_fabric.units import show_time

    words = [f"qfabric plan {network} {offer.source} {offer.destination} --fidelity {offer.fidelity:.6g}"]
    words += [f"--pairs {offer.pairs}"] if offer.pairs != 1 else []
    words += [f"--rate {offer.rate:.6g}"] if offer.rate else []
    words += [f'--deadline "{show_time(offer.deadline, 6)}"'] if offer.deadline is not None else []
    return " ".join([*words, *as_options(offer)])


def _chosen(out: Console, topology: Topology, plan: Plan, label: str) -> None:
    from quantum_fabric.cli.screen import show_cautions, show_forecast, table
    from quantum_fabric.units import show, show_time

    out.print(f"[bold]{' – '.join(plan.path)}[/]  [dim]{label}[/]")
    show_forecast(out, plan)
    show_cautions(out, plan.cautions)
    cutoff = show_time(plan.cutoff, 3) if plan.cutoff is not None else "none"
    kind = plan.distillation.value.upper()
    inner = (
        sum(link.rounds for link in plan.links) + sum(join.rounds for join in plan.joins) + plan.end_rounds
    )
    kind += " by pumping" if plan.pumped else ""
    out.print(f"swap order: {plan.order.value}; purification: {kind if inner else 'none'}; cutoff: {cutoff}")
    for each in plan.turnings:
        turns = ", ".join("/".join(rotation.words) for rotation in each.rotations)
        out.print(
            f"[dim]{each.left} – {each.right}: pairs (kept/spent) are turned to {turns} before their rounds[/]"
        )
    out.print()
    links = table(
        "Link", "Length", "Lanes", "Setting", "Success", "Attempt", "Fidelity", "Rounds",
        right=("Length", "Lanes", "Success", "Attempt", "Fidelity", "Rounds"),
    )  # fmt: skip
    for link in plan.links:
        view = topology.links[link.link]
        knob = view.model.knob
        setting = f"{knob.name} {link.setting:.4g}" if knob is not None and link.setting is not None else "–"
        links.add_row(
            link.link, show(view.length, "length", 3), str(link.lanes), setting, f"{link.success:.3g}",
            show_time(link.period, 3), f"{link.fidelity:.4f}", str(link.rounds),
        )  # fmt: skip
    out.print(links)
    if plan.joins:
        out.print()
        out.print(swap_tree(plan))


def swap_tree(plan: Plan) -> Tree:
    """The swap order, drawn from the end-to-end pair down to the links."""
    from rich.tree import Tree

    from quantum_fabric.messages import Order

    rounds = {frozenset((link.left, link.right)): link.rounds for link in plan.links}
    ends = f"{plan.path[0]} – {plan.path[-1]}"
    if plan.order is Order.ASAP:
        tree = Tree(f"[bold]{ends}[/]{_rounds(plan.end_rounds)}")
        branch = (
            tree.add(f"swap as soon as both sides are there, at {', '.join(plan.path[1:-1])}")
            if plan.joins
            else tree
        )
        for link in plan.links:
            branch.add(f"{link.left} – {link.right}{_rounds(link.rounds)}")
        return tree
    joins = {(join.left, join.right): join for join in plan.joins}

    def grow(left: str, right: str, above: Tree | None) -> Tree:
        join = joins.get((left, right))
        if join is None:
            text = f"{left} – {right}{_rounds(rounds.get(frozenset((left, right)), 0))}"
        else:
            text = f"[bold]{left} – {right}[/]  swap at {join.at}{_rounds(join.rounds)}"
        tree = Tree(text) if above is None else above.add(text)
        if join is not None:
            grow(left, join.at, tree)
            grow(join.at, right, tree)
        return tree

    return grow(plan.path[0], plan.path[-1], None)


def _rounds(count: int) -> str:
    return f"  [cyan]{count} round{'s' if count != 1 else ''} of purification[/]" if count else ""


def _alternatives(out: Console, found: Survey, title: str, every: bool) -> None:
    from quantum_fabric.cli.screen import short_path, table

    if not found.alternatives:
        return
    rows = table(title, "Strategy", "Rate /s", "Fidelity", "Why not", right=("Rate /s", "Fidelity"))
    shown = found.alternatives if every else found.alternatives[:SHOWN]
    for other in shown:
        forecast = other.plan.forecast
        rows.add_row(
            short_path(other.plan.path),
            other.label,
            f"{forecast.rate:.3g}",
            f"{forecast.fidelity_low:.4f}",
            other.reason,
        )
    out.print()
    out.print(rows)
    if len(shown) < len(found.alternatives):
        out.print(f"[dim]{len(found.alternatives) - len(shown)} more with --all[/]")
