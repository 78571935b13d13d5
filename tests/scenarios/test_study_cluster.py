"""A study on a real cluster of several processes: the same numbers, a killed worker, a cluster that goes away."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import studybench
from quantum_fabric.errors import InputError, StateError
from quantum_fabric.studies import Run, executor
from quantum_fabric.studies.executors import Alone

pytestmark = [
    pytest.mark.skipif(bool(studybench.NO_DASK), reason=studybench.NO_DASK or "-"),
    pytest.mark.filterwarnings("ignore"),  # of a library that talks to processes which are killed under it
]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, int], dict[str, float]]:
    state = Run(studybench.study(), tmp_path_factory.mktemp("local"), Alone()).go()
    return {key: dict(row) for key, row in state.rows.items()}


def test_the_same_numbers_bit_for_bit_and_a_killed_worker(
    tmp_path: Path, local: dict[tuple[int, int], dict[str, float]]
) -> None:
    with studybench.cluster(tmp_path) as there:
        hands = executor(1, there.address)
        assert hands.workers == 2
        killed: list[float] = []

        def tell(state: object) -> None:
            if getattr(state, "done", 0) >= 6 and not killed:
                there.workers[0].kill()
                killed.append(time.monotonic())

        state = Run(studybench.study(), tmp_path / "out", hands, tell, batch=1).go()
        hands.close()
    assert killed
    assert {key: dict(row) for key, row in state.rows.items()} == local


def test_a_cluster_that_goes_away_loses_nothing(
    tmp_path: Path, local: dict[tuple[int, int], dict[str, float]]
) -> None:
    with studybench.cluster(tmp_path) as there:
        hands = executor(1, there.address)

        def tell(state: object) -> None:
            if getattr(state, "done", 0) >= 5:
                there.scheduler.kill()
                for worker in there.workers:
                    worker.kill()

        with pytest.raises(StateError, match="what was finished is kept"):
            Run(studybench.study(), tmp_path / "out", hands, tell, batch=1).go()
    assert len(list((tmp_path / "out" / "chunks").glob("*.json"))) >= 5
    run = Run(studybench.study(), tmp_path / "out", Alone())
    state = run.go()
    assert run.kept >= 5
    assert {key: dict(row) for key, row in state.rows.items()} == local


def test_a_cluster_that_is_away() -> None:
    with pytest.raises(InputError, match=r"no answer at tcp://127\.0\.0\.1:9"):
        executor(1, "tcp://127.0.0.1:9")
