"""Runs: the same table for any workers, order and batch; adaptive stopping; limits; damage; wrong folders."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import studybench
from quantum_fabric.errors import InputError, StateError
from quantum_fabric.studies import Run, Store, bill, check_limits, lines, parse_study, write
from quantum_fabric.studies.engine import Row
from quantum_fabric.studies.executors import Alone, Pool, Rows
from quantum_fabric.studies.loading import with_changes
from quantum_fabric.studies.reduction import Rule, rule
from quantum_fabric.studies.work import Chunk, Order, Task, cut, seed_of, work


class Backwards(Alone):
    """Does chunks in a random order, and some of them twice."""

    def run(self, order: Order, chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, Rows]]:
        draw = random.Random(3)
        whole = list(chunks)
        draw.shuffle(whole)
        for chunk in [*whole, *whole[:2]]:
            yield chunk, work(order, chunk)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("reference")
    study = studybench.study()
    state = Run(study, folder, Alone()).go()
    write(study, state, lines(study, state), folder)
    return studybench.tables(folder)


@pytest.mark.parametrize(("hands", "batch"), [(Alone(), 1), (Alone(), 7), (Backwards(), 2), (Pool(2), 3)])
def test_the_same_bytes_whoever_does_it(
    tmp_path: Path, reference: dict[str, bytes], hands: Alone | Pool, batch: int
) -> None:
    study = studybench.study()
    state = Run(study, tmp_path, hands, batch=batch).go()
    hands.close()
    write(study, state, lines(study, state), tmp_path)
    assert studybench.tables(tmp_path) == reference


def test_points_are_run_until_the_interval_is_reached(tmp_path: Path) -> None:
    study = studybench.study()
    table = lines(study, Run(study, tmp_path).go())
    assert any(line.reached for line in table)
    for line in table:
        found = line.estimates["rate"]
        assert line.reached == (found.half <= 0.2 * found.value)
        assert 4 <= line.runs <= 24
        assert line.reached or line.runs == 24
    assert len({line.runs for line in table}) > 1, "the rule was never put to the test"


def test_a_wider_target_needs_a_part_of_the_runs(tmp_path: Path) -> None:
    """The runs of a shorter study are among those of a longer one: draws depend on the point and the run alone."""
    wide = studybench.study(studybench.SIMULATED.replace("20 %", "60 %"))
    short, long_ = Run(wide, tmp_path / "a").go(), Run(studybench.study(), tmp_path / "b").go()
    assert short.rows.keys() < long_.rows.keys()
    assert all(long_.rows[key] == row for key, row in short.rows.items())


def test_a_study_of_1e12_runs_is_refused_with_an_estimate() -> None:
    text = (
        "kind: study\nversion: 1\n"
        + studybench.LINE
        + "vary:\n"
        + "".join(
            f"- {{path: {path}, range: {{from: {low}, to: {high}, count: 1000}}}}\n"
            for path, low, high in (
                ("link.distance", "10 km", "50 km"),
                ("nodes.*.memory.t2", "1 s", "9 s"),
                ("defaults.fibre.attenuation", "0.15 dB/km", "0.2 dB/km"),
            )
        )
        + "engine: twin\nrepeat: {runs: 1000}\n"
    )
    study = parse_study(text, "huge.yaml")
    found = bill(study)
    assert found.least == 10**12
    assert found.each is not None
    with pytest.raises(
        InputError, match=r"1,000,000,000,000 runs, [\d,.e+]+ (years|d).*expected at most 1,000,000 runs"
    ):
        check_limits(study, found)


def test_limits_of_time() -> None:
    study = studybench.study(studybench.SIMULATED + "limits: {time: 1 ms}\n")
    with pytest.raises(InputError, match="at most 1 ms of computing"):
        check_limits(study, bill(study))


def test_damaged_chunks_are_put_aside_and_done_again(tmp_path: Path, reference: dict[str, bytes]) -> None:
    study = studybench.study()
    Run(study, tmp_path, batch=3).go()
    chunks = sorted((tmp_path / "chunks").glob("*.json"))
    chunks[0].write_bytes(chunks[0].read_bytes()[:-20])
    text = chunks[1].read_text()
    chunks[1].write_text(text.replace("1", "2", 1) if text.count("1") else text + "x")
    chunks[2].write_bytes(b"\xff\x00garbage")
    chunks[3].write_text("")
    (tmp_path / "chunks" / ".half.json.99.part").write_text("half")
    run = Run(study, tmp_path)
    state = run.go()
    assert len(run.damaged) == 4
    assert all(path.exists() for path in run.damaged)
    write(study, state, lines(study, state), tmp_path)
    assert studybench.tables(tmp_path) == reference
    assert not list((tmp_path / "chunks").glob(".*.part"))


def test_a_folder_belongs_to_one_study(tmp_path: Path) -> None:
    study = parse_study(studybench.FORECAST)
    Run(study, tmp_path).go()
    with pytest.raises(InputError, match="holds another study"):
        Run(with_changes(study, seed=9), tmp_path).go()
    store = Store(tmp_path, study)
    with (
        store.opened(),
        pytest.raises(InputError, match="another process works"),
        Store(tmp_path, study).opened(),
    ):
        pass
    (tmp_path / "study.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be read"):
        Run(study, tmp_path).go()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="Not a directory"):
        Run(parse_study(studybench.FORECAST), tmp_path / "file" / "out").go()


def test_a_point_that_makes_no_sense_is_named(tmp_path: Path) -> None:
    order = Order(studybench.study().base, "forecast", 1, frozenset())
    with pytest.raises(InputError, match=r"point 5 \(link.distance = 3 parsec\)"):
        work(order, Chunk((Task(5, (("link.distance", "3 parsec"),), 0, 1),)))


def test_seeds_are_all_different() -> None:
    seeds = {seed_of(study, point, run) for study in range(5) for point in range(20) for run in range(20)}
    assert len(seeds) == 2000


def test_cutting_loses_nothing() -> None:
    tasks = [Task(point, (), first, first + point) for point, first in ((3, 0), (0, 5), (7, 2), (1, 1))]
    whole = {(task.point, run) for task in tasks for run in range(task.first, task.last)}
    for size in (1, 2, 3, 100):
        pieces = [
            (t.point, run)
            for chunk in cut(tasks, size)
            for t in chunk.tasks
            for run in range(t.first, t.last)
        ]
        assert len(pieces) == len(whole)
        assert set(pieces) == whole


def test_the_rule_stops() -> None:
    assert rule(None).target([{"rate": 1.0}]) == 1
    adaptive = Rule(0, absolute=0.1, least=4, most=50)
    rows: list[Row] = [{"rate": float(k % 7)} for k in range(50)]
    count, visited = 4, []
    while (target := adaptive.target(rows[:count])) > count:
        visited.append(target)
        count = target
    assert count == 50
    assert visited == sorted(visited)
    assert all(after <= 2 * before for before, after in zip([4, *visited], visited))
