"""Zero leaked leases and zero half-open pairs in randomised message schedules: `python -m benchmarks.control.schedules`.

One seed is one schedule of letters that are lost, come twice and overtake each other, nodes and a controller that stop and
start again, and clocks that are wrong; it is judged at every step by the model checker of `tests/model`, on the deciders that
run. The count of a full run is 1,000,000; `--quick` takes a thousand.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "tests"))

FULL, QUICK = 1_000_000, 1_000


@dataclass(frozen=True)
class Row:
    """What came of one scene."""

    scene: str
    schedules: int
    steps: int
    ended: int
    seconds: float
    wrong: str | None


def measured(count: int, first: int = 0) -> list[Row]:
    """Draw schedules, shared out evenly among the scenes with every kind of fault."""
    from model.scenes import MIXED, MIXED_SURE
    from model.search import wander

    scenes = MIXED | MIXED_SURE
    share = -(-count // len(scenes))
    rows = []
    for name, scene in scenes.items():
        began = time.perf_counter()
        found = wander(scene, range(first, first + share))
        rows.append(
            Row(name, found.states, found.steps, found.ends, time.perf_counter() - began, found.wrong)
        )
        print(
            f"{name}: {found.states} schedules, {found.wrong or 'nothing wrong'}", file=sys.stderr, flush=True
        )
    return rows


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| scene | schedules | steps | to the end | schedules/s | wrong |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {row.scene} | {row.schedules:,} | {row.steps:,} | {row.ended:,} | {row.schedules / row.seconds:.0f} "
        f"| {0 if row.wrong is None else 1} |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=FULL, help=f"schedules over all scenes ({FULL:,})")
    parser.add_argument("--first", type=int, default=0, help="first seed of each scene (0)")
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK:,} schedules, for continuous integration"
    )
    asked = parser.parse_args()
    rows = measured(QUICK if asked.quick else asked.count, asked.first)
    print(table(rows))
    for row in rows:
        if row.wrong is not None:
            print(f"\n{row.scene}: {row.wrong}")
    return any(row.wrong is not None for row in rows)


if __name__ == "__main__":
    sys.exit(main())
