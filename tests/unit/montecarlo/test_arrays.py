"""The max-plus recurrence in arrays of JAX: the native sampler's draws, on whatever device there is; and what is said without one."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from benchmarks import networks
from benchmarks.chain import _halves
from benchmarks.workload import Chain

from quantum_fabric import ensemble
from quantum_fabric.errors import InputError, StateError, UnknownNameError
from quantum_fabric.montecarlo import Scenario, simulate
from quantum_fabric.montecarlo.running import FOREVER
from quantum_fabric.montecarlo.samplers import Asked, arrays
from quantum_fabric.native import look
from sampled_laws import unequal

native = pytest.mark.skipif(look()[0] is None, reason="the native kernel is not installed")
jax = pytest.mark.skipif(arrays.look()[0] is None, reason=arrays.INSTALL)


def scenario(pairs: int, uneven: bool = True) -> Scenario:
    """Five nodes, halves joined, everything unlike where that is asked for."""
    chain = Chain(5)
    job = networks.chain(chain, "messages", pairs, _halves(tuple(chain.names)))
    job = unequal(job) if uneven else job
    with job.planned():
        return ensemble.scenario(job.inventory, job.requests)


@native
@jax
def test_times_are_the_native_samplers_and_sums_are_to_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a floor that pairs miss and an end that some replicas reach, with beliefs and without, in parts."""
    what = scenario(30)
    rough = simulate(what, seed=4, replicas=300, keep_pairs=True, sampler="max-plus")
    poor = replace(what, sessions=(replace(what.sessions[0], floor=float(np.median(rough.states[:, 0]))),))
    until = int(np.median(simulate(poor, seed=4, replicas=300, sampler="max-plus").column("ended")))
    monkeypatch.setattr(arrays, "CHUNK", 700)
    cases: tuple[dict[str, Any], ...] = (
        {"until": FOREVER, "beliefs": True},
        {"until": until, "beliefs": True},
        {"until": FOREVER, "beliefs": False},
    )
    for settings in cases:
        one = simulate(poor, seed=4, replicas=1400, sampler="max-plus", **settings)
        two = arrays.run(poor, Asked(4, 0, 1400, 1, **settings))
        for name in ("sessions", "latencies", "intervals"):
            assert np.array_equal(getattr(one, name), getattr(two, name)), name
        assert np.allclose(one.sums, two.sums, rtol=1e-12, atol=0.0)
        assert two.twirl_error == pytest.approx(one.twirl_error, rel=1e-12)
        assert two.engine.endswith("(sampler: max-plus recurrence)")
        assert (one.column("withheld").sum() > 1000) == settings["beliefs"]


@native
@jax
def test_a_hopeless_floor_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "LONGEST", 1e13)
    arrays._program.cache_clear()
    what = scenario(1, uneven=False)
    hopeless = replace(what, sessions=(replace(what.sessions[0], floor=0.999999),))
    with pytest.raises(StateError, match="longer than its sampler counts"):
        arrays.run(hopeless, Asked(1, 0, 5, 1, FOREVER))
    arrays._program.cache_clear()


@native
def test_what_an_accelerator_does_not_do_is_refused() -> None:
    what = scenario(2)
    with pytest.raises(UnknownNameError, match="cpu, gpu, auto"):
        simulate(what, sampler="auto", device="abacus")
    with pytest.raises(InputError, match="lists of pairs"):
        simulate(what, sampler="auto", device="gpu", keep_pairs=True)
    with pytest.raises(InputError, match="max-plus is not taken"):
        simulate(what, sampler="nested", device="gpu")
    if arrays.accelerator()[0] is None:
        with pytest.raises(StateError, match=r"\[gpu\]|no accelerator"):
            simulate(what, sampler="auto", device="gpu")
        assert simulate(what, sampler="auto", device="auto").engine == "native (sampler: max-plus recurrence)"


def test_without_jax_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jax", None)
    assert arrays.look() == (None, arrays.INSTALL)
    assert arrays.accelerator() == (None, arrays.INSTALL)
    with pytest.raises(StateError, match=r"quantum-fabric\[gpu\]"):
        arrays.run(scenario(1), Asked(1, 0, 1, 1, FOREVER))
