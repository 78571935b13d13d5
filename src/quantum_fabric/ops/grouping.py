"""Which requests the plots show together, when there are too many to tell apart."""

from __future__ import annotations

from collections.abc import Sequence

from quantum_fabric.ops.losses import Losses
from quantum_fabric.ops.plots import Group
from quantum_fabric.ops.requests import History
from quantum_fabric.units import seconds


def group(histories: Sequence[History], losses: Losses, most: int) -> tuple[list[Group], str]:
    """Put requests into at most `most` groups: each its own, else by their ends, else the busiest ends and the rest.

    Args:
        histories: in order of submission.
        losses: the account of the run.
        most: how many groups a plot can tell apart, at least 1.

    Returns:
        The groups, and a sentence for the reader on what was put together (empty when nothing was).

    Examples:
        >>> from quantum_fabric.messages import LinkRequest
        >>> requests = [History(LinkRequest("A", "B", 0.9, name=f"r{i}"), 0) for i in range(9)]
        >>> groups, remark = group(requests, Losses(), most=8)
        >>> [g.label for g in groups], remark
        (['A → B (9 requests)'], 'Requests with the same ends are shown together.')
    """
    if len(histories) <= most:
        return [_collect(history.request.name or "?", [history], losses) for history in histories], ""
    by_ends: dict[tuple[str, str], list[History]] = {}
    for history in histories:
        by_ends.setdefault((history.request.source, history.request.destination), []).append(history)
    ranked = sorted(by_ends.items(), key=lambda item: -sum(len(history.pairs) for history in item[1]))
    remark = "Requests with the same ends are shown together."
    rest: list[History] = []
    if len(ranked) > most:
        rest = [history for _, members in ranked[most - 1 :] for history in members]
        ranked = ranked[: most - 1]
        remark = f"The {most - 1} busiest pairs of ends are shown, and all others together."
    groups = [
        _collect(f"{a} → {b}" + (f" ({len(members)} requests)" if len(members) > 1 else ""), members, losses)
        for (a, b), members in ranked
    ]
    if rest:
        groups.append(_collect(f"all others ({len(rest)} requests)", rest, losses))
    return groups, remark


def _collect(label: str, members: Sequence[History], losses: Losses) -> Group:
    names = [member.request.name for member in members]
    times = [losses.time[name] for name in names if name in losses.time]
    fidelities = [losses.fidelity[name] for name in names if name in losses.fidelity]
    timed, known = sum(time.pairs for time in times), sum(loss.pairs for loss in fidelities)
    return Group(
        label,
        min(seconds(member.submitted) for member in members),
        sorted(seconds(pair.delivered_at) for member in members for pair in member.pairs),
        [value for member in members for value in member.true_fidelities],
        [member.request.fidelity for member in members if member.pairs],
        tuple(sum(parts) / timed for parts in zip(*(time.seconds for time in times))) if timed else None,
        (
            sum(loss.elementary for loss in fidelities) / known,
            sum(loss.memory for loss in fidelities) / known,
            sum(loss.operations for loss in fidelities) / known,
        )
        if known
        else None,
        sorted(
            (seconds(truth.at), truth.weights[0])
            for member in members
            for truth in member.truths
            if truth is not None
        ),
    )
