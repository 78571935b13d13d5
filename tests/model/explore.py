"""Draw schedules of messages at random and judge every step of them: `python tests/model/explore.py --schedules 1000000`.

Each seed is one schedule: letters are lost, come twice and overtake each other, nodes stop and start again, timers fire early and late
in their bounds. The seeds are shared out evenly among the scenes. A seed that goes wrong is told as a sequence of messages.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

from model.scenes import MIXED, MIXED_SURE, WIDE, WIDE_SURE  # noqa: E402
from model.search import wander  # noqa: E402


def main() -> int:
    """Run the command."""
    scenes = MIXED | MIXED_SURE | WIDE | WIDE_SURE
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--schedules", type=int, default=10_000, help="how many, over all scenes (10000)")
    parser.add_argument("--first", type=int, default=0, help="first seed (0)")
    parser.add_argument(
        "--scene", action="append", choices=sorted(scenes), help="only this scene (may be repeated)"
    )
    asked = parser.parse_args()
    chosen = asked.scene or list(MIXED | MIXED_SURE)
    share = -(-asked.schedules // len(chosen))
    total = wrong = 0
    began = time.perf_counter()
    for name in chosen:

        def progress(schedules: int, steps: int, name: str = name) -> None:
            if schedules % 1000 == 0:
                print(f"\r{name}: {schedules} schedules, {steps} steps", end="", file=sys.stderr, flush=True)

        found = wander(scenes[name], range(asked.first, asked.first + share), progress=progress)
        print(file=sys.stderr)
        total += found.states
        rate = found.states / found.seconds
        print(
            f"{name}: {found.states} schedules, {found.steps} steps, {found.ends} to the end, {rate:.0f} per second",
            flush=True,
        )
        if found.wrong is not None:
            wrong += 1
            print(found.wrong, flush=True)
    print(f"{total} schedules in {time.perf_counter() - began:.0f} s; scenes that went wrong: {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
