"""Zero leaked leases and zero half-open pairs in randomised message schedules: `python -m benchmarks.control.schedules`.

One seed of one scene is one schedule of letters that are lost, come twice and overtake each other, nodes and a controller that stop
and start again, and clocks that are wrong; it is judged at every step by the model checker of `tests/model`, on the deciders that
run. The count of a full run is 1,000,000.

    python -m benchmarks.control.schedules --quick                          a thousand
    python -m benchmarks.control.schedules --out schedules.jsonl            all of them; stop it and start it again as you like
    python -m benchmarks.control.schedules --out schedules.jsonl --keep     nothing more is drawn where the file has them all;
                                                                            one line of the evidence is written from it
    python -m benchmarks.control.schedules --out schedules.jsonl --as-drawn --keep      what the file has, whatever code drew it

A line of the file is one block of seeds. It carries a fingerprint of the code that ran: blocks of other code count for nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.records import Goal, Row

if TYPE_CHECKING:
    from benchmarks.run import Run

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests"))

FULL, PART, QUICK = 1_000_000, 20_000, 1_000
"""A full run; what `qfabric bench control` draws, and with ``--quick``."""
BLOCK = 500
"""Seeds of a line of the file."""


class Block(NamedTuple):
    """Seeds of a scene."""

    scene: str
    first: int
    count: int


@dataclass(frozen=True)
class Found:
    """What came of a block, or of all blocks of a scene.

    Attributes:
        scene, first, count: which seeds.
        schedules, steps: that were drawn; fewer than `count` where one went wrong.
        ended: schedules that came to an end at which nothing was left.
        seconds: of one processor.
        wrong: what is wrong, and the way there; None where nothing is.
        code: fingerprint of the deciders and of the checker.
    """

    scene: str
    first: int
    count: int
    schedules: int
    steps: int
    ended: int
    seconds: float
    wrong: str | None
    code: str


@cache
def fingerprint() -> str:
    """Of everything that decides what a seed comes to: deciders, messages, checker."""
    import quantum_fabric

    made = blake2b(digest_size=8)
    package = Path(quantum_fabric.__file__).parent
    files = [*(package / "control").rglob("*.py"), *(package / "messages").rglob("*.py")]
    for path in sorted([*files, *(ROOT / "tests" / "model").glob("*.py")]):
        made.update(path.read_bytes())
    return made.hexdigest()


def blocks(count: int, first: int = 0) -> list[Block]:
    """Seeds shared out evenly among the scenes, in turn."""
    from model.scenes import MIXED, MIXED_SURE

    scenes = MIXED | MIXED_SURE
    share = -(-count // len(scenes))
    return [
        Block(scene, start, min(BLOCK, first + share - start))
        for start in range(first, first + share, BLOCK)
        for scene in scenes
    ]


def draw(block: Block) -> Found:
    """Draw a block of schedules and judge every step of each."""
    from model.scenes import MIXED, MIXED_SURE
    from model.search import wander

    began = time.process_time()
    seeds = range(block.first, block.first + block.count)
    found = wander((MIXED | MIXED_SURE)[block.scene], seeds)
    took = time.process_time() - began
    return Found(*block, found.states, found.steps, found.ends, took, found.wrong, fingerprint())


def drawn(wanted: list[Block], workers: int = 1) -> Iterator[Found]:
    """What comes of blocks, as they are done."""
    if workers == 1:
        yield from map(draw, wanted)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(draw, wanted)


def read(path: Path, code: str | None = None) -> list[Found]:
    """The blocks in a file that some code drew, this one where none is named; a torn last line, of a killed run, is left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    found = [Found(**json.loads(each)) for each in lines]
    return [each for each in found if each.code == (code or fingerprint())]


def as_drawn(path: Path) -> list[Found]:
    """Everything in a file that one code drew.

    Raises:
        SystemExit: several did.
    """
    codes = {json.loads(each)["code"] for each in path.read_text(encoding="utf-8").split("\n")[:-1]}
    if len(codes) != 1:
        raise SystemExit(f"{path}: found blocks of {len(codes)} versions of the code, expected 1")
    return read(path, codes.pop())


def resumed(path: Path, wanted: list[Block], workers: int) -> list[Found]:
    """Draw what is not in the file yet, and write each block there when it is done."""
    known = {Block(each.scene, each.first, each.count): each for each in read(path)}
    missing = [each for each in wanted if each not in known]
    if path.exists() and (text := path.read_bytes()) and not text.endswith(b"\n"):
        path.write_bytes(text[: text.rfind(b"\n") + 1])
    with path.open("a", encoding="utf-8") as file:
        for number, found in enumerate(drawn(missing, workers), 1):
            known[Block(found.scene, found.first, found.count)] = found
            file.write(json.dumps(asdict(found)) + "\n")
            file.flush()
            _tell(number, len(missing), found)
    return [known[each] for each in wanted]


def _tell(number: int, of: int, found: Found) -> None:
    said = "nothing wrong" if found.wrong is None else found.wrong
    print(f"\r{number} of {of} blocks; {found.scene}: {said}   ", end="", file=sys.stderr, flush=True)
    if found.wrong is not None or number == of:
        print(file=sys.stderr)


def by_scene(found: list[Found]) -> list[Found]:
    """One line for each scene."""
    lines = []
    for scene in dict.fromkeys(each.scene for each in found):
        those = [each for each in found if each.scene == scene]
        wrong = next((each.wrong for each in those if each.wrong is not None), None)
        sums = [
            sum(getattr(each, name) for each in those)
            for name in ("count", "schedules", "steps", "ended", "seconds")
        ]
        lines.append(Found(scene, those[0].first, *sums, wrong, those[0].code))  # type: ignore[arg-type]
    return lines


def table(found: list[Found]) -> str:
    """The scenes in Markdown."""
    lines = ["| scene | schedules | steps | to the end | schedules/s | wrong |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {each.scene} | {each.schedules:,} | {each.steps:,} | {each.ended:,} | {each.schedules / max(each.seconds, 1e-9):.0f} "
        f"| {0 if each.wrong is None else 1} |"
        for each in by_scene(found)
    ]
    return "\n".join(lines)


def line(found: list[Found]) -> Row:
    """The line of the evidence."""
    schedules, seconds = sum(each.schedules for each in found), sum(each.seconds for each in found)
    wrong = [each.wrong for each in found if each.wrong is not None]
    return Row(
        name=f"control/schedules/{schedules:,} schedules",
        quantity="schedules with a leak, a half-open pair or another fault",
        ours=float(len(wrong)),
        goal=Goal(0.0),
        count=float(sum(each.schedules - each.ended for each in found)),
        counted="schedules that did not come to their end",
        count_goal=Goal(0.0),
        others={
            "schedules/s of one core": schedules / max(seconds, 1e-9),
            "steps judged": float(sum(each.steps for each in found)),
        },
        details={"scenes": [asdict(each) for each in by_scene(found)], "wrong": wrong},
    )


def rows(run: Run) -> list[Row]:
    """Lines for `qfabric bench control`: fewer schedules than the full run, which stays beside them."""
    run.progress("schedules of letters and faults")
    return [line(list(drawn(blocks(QUICK if run.quick else PART))))]


def keep(found: list[Found]) -> None:
    """Put the line among the evidence."""
    from benchmarks import page, report
    from benchmarks.control import page as evidence
    from benchmarks.run import Run

    told = report.as_json([line(found)], Run(quick=False))
    evidence.write(page.keep(told["rows"], told["machine"], evidence.KEPT))


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=FULL, help=f"schedules over all scenes ({FULL:,})")
    parser.add_argument("--first", type=int, default=0, help="first seed of each scene (0)")
    parser.add_argument("--workers", type=int, default=1, help="processes (1)")
    parser.add_argument("--out", type=Path, help="file of what is done; what it has is not drawn again")
    parser.add_argument("--keep", action="store_true", help="put the line among the evidence (measured.json)")
    parser.add_argument("--as-drawn", action="store_true", help="take the file as it is, and draw nothing")
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK:,} schedules, for continuous integration"
    )
    asked = parser.parse_args()
    if asked.as_drawn and asked.out is None:
        parser.error("--as-drawn needs the file: --out FILE")
    wanted = blocks(QUICK if asked.quick else asked.count, asked.first)
    if asked.out is None:
        found = list(drawn(wanted, asked.workers))
    else:
        found = as_drawn(asked.out) if asked.as_drawn else resumed(asked.out, wanted, asked.workers)
    print(table(found))
    for each in found:
        if each.wrong is not None:
            print(f"\n{each.scene}: {each.wrong}")
    if asked.keep:
        keep(found)
    return any(each.wrong is not None for each in found)


if __name__ == "__main__":
    sys.exit(main())
