"""The evidence of scheduling as lines of the table: `scheduling_hub`, `scheduling_packets`, `scheduling_periodic`, `fairness`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.control import fairness, scheduling_hub, scheduling_packets, scheduling_periodic
from benchmarks.records import Goal, Row

if TYPE_CHECKING:
    from benchmarks.run import Run

COMPLETED_GOAL = 0.99
"""Share of packets of what was admitted."""


def rows(run: Run) -> list[Row]:
    """Packets, periodic demands, the hub, fairness."""
    return [*_packets(run), *_periodic(run), *_hub(run), *_fairness(run)]


def _packets(run: Run) -> list[Row]:
    return [
        Row(
            name=f"control/packets/{told['model']}/{told['p_packet']}/seed {told['seed']}",
            quantity="share completed",
            ours=told["ours"],
            goal=Goal(COMPLETED_GOAL, at_least=True),
            peer=told["theirs_online"],
            peer_name="published, online",
            others={
                name: told[key]
                for name, key in (("online without admission", "online"), ("static table", "static"))
                if told[key] is not None
            },
            details=told,
        )
        for told in scheduling_packets.measure(run.quick, run.progress)
    ]


def _periodic(run: Run) -> list[Row]:
    made = []
    for told in scheduling_periodic.measure(run.quick, run.progress):
        theirs = {key: value for key, value in told.items() if key.startswith("theirs") and value is not None}
        best = max(theirs, key=lambda key: theirs[key]) if theirs else None
        made.append(
            Row(
                name=f"control/periodic/F {told['fidelity']}/load {told['load']}",
                quantity="ebit/s",
                ours=told["ours"],
                goal=Goal(theirs[best], at_least=True) if best else None,
                peer=theirs[best] if best else None,
                peer_name=f"published, {best.removeprefix('theirs ')}" if best else "",
                others={key: told[key] for key in ("uni block", "multi block", "segment")},
                details=told,
            )
        )
    return made


def _hub(run: Run) -> list[Row]:
    return [
        Row(
            name=f"control/hub/{told['slots']} slots/{told['load']} erlang/{told['law']}",
            quantity="share lost",
            ours=told["simulated"],
            goal=None,
            peer=told["formula"],
            peer_name="Erlang B",
            count=abs(told["off"]),
            counted="errors off",
            count_goal=Goal(scheduling_hub.TOLERANCE),
            details=told,
        )
        for told in scheduling_hub.measure(run.quick, run.progress)
    ]


def _fairness(run: Run) -> list[Row]:
    return [
        Row(
            name=f"control/fairness/{told['discipline']}/load {told['load']}",
            quantity="Jain's index",
            ours=told["jain"],
            goal=None,
            details=told,
        )
        for told in fairness.measure(run.quick, run.progress)
    ]
