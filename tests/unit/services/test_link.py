"""A link as an application uses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from builders import chain, link, node, nothing_left, plan, request
from quantum_fabric.documents.assembly import Inventory
from quantum_fabric.errors import InputError, StateError
from quantum_fabric.fabric import Fabric
from quantum_fabric.links.ideal import FixedLink
from quantum_fabric.messages import Bell, Code, NodeFailed, Outcome, Refused, Service, Status
from quantum_fabric.physics.frames import expected_parity
from quantum_fabric.services.link import STATES, Link, Pair, Teleportation, open_link
from quantum_fabric.units import MS, US

DELAY = 10 * US
Use = Callable[[Any], None]


@pytest.fixture
def opened(planned: Use) -> Callable[..., Link]:
    """Open a link over all nodes of a chain, with as many lanes as a source has slots."""

    def opens(network: Inventory, pairs: int = 1, seed: int = 1, **more: Any) -> Link:
        path = list(network.nodes)
        planned(plan(network, path, lanes=network.nodes[path[0]].slots // min(2, len(path) - 1)))
        wanted = request(path[0], path[-1], pairs, **{"hold": True, **more})
        found = open_link(Fabric(network, seed=seed), wanted)
        assert isinstance(found, Link)
        return found

    return opens


def pair_of(count: int = 2, model: FixedLink | None = None, slots: int = 1, **more: Any) -> Inventory:
    return chain(count, model or link(), node(slots, **more), hop_delay=DELAY)


# ------------------------------------------------------------------------------------------ link


def test_a_link_hands_out_its_pairs_and_stops(opened: Callable[..., Link]) -> None:
    found = opened(pair_of(slots=3), 3)
    assert iter(found) is found
    assert found.outcome is None
    pairs = list(found)
    assert [pair.delivered.number for pair in pairs] == [1, 2, 3]
    assert found.outcome == Outcome("request-1", Status.COMPLETED, 3, "all pairs delivered")
    with pytest.raises(StopIteration):
        next(found)
    assert repr(found) == "<Link request-1: A – B, 3 of 3 pairs taken>"
    assert found.plan.path == ("A", "B")


def test_leaving_the_context_gives_everything_back(opened: Callable[..., Link]) -> None:
    with opened(pair_of(slots=2), 5) as found:
        pair = next(found)
        fabric = found.network
        assert isinstance(fabric, Fabric)
    found.close()
    with pytest.raises(StateError, match="the link is closed"):
        next(found)
    fabric.run(fabric.now + 4 * DELAY)
    assert nothing_left(fabric)
    assert found.outcome is not None
    assert found.outcome.status is Status.CANCELLED
    with pytest.raises(StateError, match="pair 1 is gone"):
        pair.measure("Z")


def test_an_error_in_the_context_closes_too(opened: Callable[..., Link]) -> None:
    found = opened(pair_of())
    with pytest.raises(KeyError), found:
        raise KeyError
    with pytest.raises(StateError):
        next(found)


def test_a_pair_tells_what_was_delivered(opened: Callable[..., Link]) -> None:
    model = link(fidelity=0.95, bell=Bell.PSI_MINUS)
    pair = next(opened(pair_of(model=model, t2=0.5), fidelity=0.8))
    told = pair.delivered
    assert (pair.ends, pair.bell) == (("A", "B"), "Ψ−")
    assert (pair.fidelity, pair.interval) == (told.fidelity, (told.low, told.high))
    assert pair.interval[0] < pair.fidelity < pair.interval[1] < 1.0
    assert (pair.created_at, pair.delivered_at, pair.expires_at) == (
        told.created_at, told.delivered_at, told.expires_at,
    )  # fmt: skip
    assert "_network" not in repr(pair)


def test_a_refusal_is_handed_over(planned: Use) -> None:
    refusal = Refused("", Code.NOROUTE, "network", "no way")
    planned(refusal)
    found = open_link(Fabric(pair_of()), request(hold=True))
    assert isinstance(found, Refused)
    assert (found.request, found.reason) == ("request-1", "no way")
    assert not found


def test_a_senseless_request_raises() -> None:
    with pytest.raises(InputError, match="fidelity: found 2"):
        open_link(Fabric(pair_of()), request(fidelity=2))


def test_pairs_that_expired_are_skipped_and_counted(opened: Callable[..., Link]) -> None:
    found = opened(pair_of(t2=0.001, model=link(fidelity=0.95), slots=2), 30, fidelity=0.9)
    fabric = found.network
    first = next(found)
    fabric.run(first.expires_at + MS // 2)
    later = next(found)
    assert found.expired > 0
    assert later.delivered.number == found.expired + 2
    assert later.expires_at >= fabric.now
    with pytest.raises(StateError, match=r"pair 1 expired .* ago"):
        first.measure("Z")


def test_full_memories_are_named_as_the_reason_of_silence(opened: Callable[..., Link]) -> None:
    found = opened(pair_of(), 2)
    pair = next(found)
    with pytest.raises(StateError, match=r"gave no pair within .*; .*close the link"):
        next(found)
    assert pair.measure("Z") in ((0, 0), (1, 1))
    assert next(found).delivered.number == 2


# --------------------------------------------------------------------------------------- measure


@pytest.mark.parametrize("bell", list(Bell))
@pytest.mark.parametrize("hops", [1, 2])
def test_measured_bits_obey_the_announced_state(opened: Callable[..., Link], bell: Bell, hops: int) -> None:
    found = opened(pair_of(hops + 1, link(bell=bell), slots=2 * hops), 24)
    seen: dict[str, set[int]] = {"X": set(), "Y": set(), "Z": set()}
    for number, pair in enumerate(found):
        basis = "XYZ"[number % 3]
        one, two = pair.measure(basis)
        assert one ^ two == expected_parity(basis, pair.delivered.bell)
        seen[basis].add(one)
    assert set(map(len, seen.values())) == {2}  # seeded; a single bit is a fair coin


def test_a_bad_basis_leaves_the_pair_alone(opened: Callable[..., Link]) -> None:
    pair = next(opened(pair_of()))
    with pytest.raises(InputError, match="basis: found 'W', expected 'X', 'Y' or 'Z'"):
        pair.measure("W")
    pair.measure("X")


@pytest.mark.parametrize("first", ["measure", "teleport"])
@pytest.mark.parametrize("second", ["measure", "teleport"])
def test_a_pair_is_used_once(opened: Callable[..., Link], first: str, second: str) -> None:
    def use(pair: Pair, how: str) -> object:
        return pair.measure("Z") if how == "measure" else pair.teleport("+")

    pair = next(opened(pair_of()))
    use(pair, first)
    with pytest.raises(StateError, match="pair 1 was used already"):
        use(pair, second)


def test_a_pair_that_was_handed_over_cannot_be_used(opened: Callable[..., Link]) -> None:
    pair = next(opened(pair_of(), hold=False))
    with pytest.raises(StateError, match="not held in memory; ask with hold=True"):
        pair.measure("Z")


@pytest.mark.parametrize("end", ["A", "B"])
@pytest.mark.parametrize("how", ["measure", "teleport"])
def test_a_half_that_was_lost_is_named(opened: Callable[..., Link], end: str, how: str) -> None:
    found = opened(pair_of())
    pair, fabric = next(found), found.network
    assert isinstance(fabric, Fabric)
    fabric.inject(NodeFailed(end))
    fabric.run(fabric.now)
    with pytest.raises(StateError, match=f"^{end} lost its half|pair 1 is gone"):
        pair.measure("Z") if how == "measure" else pair.teleport("0")


# -------------------------------------------------------------------------------------- teleport


@pytest.mark.parametrize("state", list(STATES))
@pytest.mark.parametrize("bell", list(Bell))
def test_a_perfect_pair_teleports_perfectly(opened: Callable[..., Link], state: str, bell: Bell) -> None:
    found = opened(pair_of(model=link(bell=bell), swap_time=3 * US, measure_time=US))
    pair = next(found)
    start = found.network.now
    told = pair.teleport(state)
    assert told.succeeded
    assert told.bits is not None
    assert told.fidelity == pytest.approx(1.0, abs=1e-12)
    psi = np.array(STATES[state])
    np.testing.assert_allclose(np.array(told.density), np.outer(psi, psi.conj()), atol=1e-12)
    assert told.sent_at == start
    assert told.received_at >= start + 3 * US + DELAY


def test_two_hops_teleport_perfectly(opened: Callable[..., Link]) -> None:
    for pair in opened(pair_of(3, slots=2), 6):
        assert pair.teleport((0.6, 0.8j)).fidelity == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    "weights",
    [(0.7, 0.1, 0.1, 0.1), (0.8, 0.2, 0.0, 0.0), (0.6, 0.05, 0.15, 0.2)],
)
def test_the_mean_over_six_states_is_two_thirds_f_plus_one_third(
    opened: Callable[..., Link], weights: tuple[float, float, float, float]
) -> None:
    """Horodecki, Phys. Rev. A 60, 1888 (1999): (2F + 1)/3; exact, as the density matrix is known."""
    model = FixedLink(1.0, weights, US, heard=(US, US), bell=2)
    found = opened(pair_of(model=model), 6)
    told = [pair.teleport(state) for state, pair in zip(STATES, found, strict=True)]
    assert np.mean([each.fidelity for each in told]) == pytest.approx((2 * weights[0] + 1) / 3, abs=1e-12)
    for each in told:
        density = np.array(each.density)
        assert np.trace(density) == pytest.approx(1.0, abs=1e-12)
        np.testing.assert_allclose(density, density.conj().T, atol=1e-14)
        assert np.linalg.eigvalsh(density).min() >= -1e-12


def test_the_receivers_half_ages_while_the_bits_travel(opened: Callable[..., Link]) -> None:
    aged = next(opened(pair_of(t2=20e-6))).teleport("+").fidelity
    kept = next(opened(pair_of(t2=20e-6))).teleport("0").fidelity
    assert aged < 0.8
    assert kept == pytest.approx(1.0, abs=1e-12)  # dephasing spares |0⟩


def test_linear_optics_fails_at_times_and_uses_the_pair_up(opened: Callable[..., Link]) -> None:
    found = opened(pair_of(swap_success=0.5), 30)
    told = [pair.teleport("0") for pair in found]  # with one slot, each has to make room for the next
    lost = [each for each in told if not each.succeeded]
    assert 0 < len(lost) < 30  # seeded; 2^-29 by chance
    for each in lost:
        assert each == Teleportation(False, None, None, 0.0, each.sent_at, each.received_at)
    assert all(each.fidelity == pytest.approx(1.0) for each in told if each.succeeded)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("up", "state: found 'up', expected one of 0, 1, [+], -, [+]i, -i, or two amplitudes"),
        ((1.0, 1.0), "amplitudes with squares that sum to 2"),
        ((0.0, 0.0), "amplitudes with squares that sum to 0"),
        ((1.0, 0.0, 0.0), "expected two complex amplitudes"),
        ((1.0,), "expected two complex amplitudes"),
        (None, "expected two complex amplitudes"),
        ((1.0, "x"), "expected two complex amplitudes"),
        ((float("nan"), 0.0), "squares that sum to nan"),
    ],
)
def test_what_is_no_state_leaves_the_pair_alone(
    opened: Callable[..., Link], state: Any, message: str
) -> None:
    pair = next(opened(pair_of()))
    with pytest.raises(InputError, match=message):
        pair.teleport(state)
    assert pair.teleport((0.6, -0.8)).fidelity == pytest.approx(1.0)


def test_a_pair_may_expire_while_the_bits_travel(opened: Callable[..., Link]) -> None:
    near_b = chain(2, link(fidelity=0.95), node(1, t2=0.001), hop_delay=DELAY, controller="B")
    found = opened(near_b, fidelity=0.9)
    pair = next(found)
    found.network.run(pair.expires_at - DELAY // 2)
    with pytest.raises(StateError, match="pair 1 is gone"):
        pair.teleport("+")


# ---------------------------------------------------------------------------------- measured, prepared, packets


def test_bits_of_pairs_that_are_measured_directly(opened: Callable[..., Link]) -> None:
    found = opened(
        pair_of(slots=2, swap_time=US, measure_time=US), 5, hold=False, service=Service.MEASURE, bases=("X",)
    )
    pairs = list(found)
    assert len(pairs) == 5
    for pair in pairs:
        told = pair.outcomes
        assert told is not None
        assert (told.number, told.bases) == (pair.delivered.number, ("X", "X"))
        one, two = told.bits
        assert one is not None
        assert two == one ^ expected_parity("X", told.bell)
        with pytest.raises(StateError, match="was measured by its ends"):
            pair.measure("X")
        with pytest.raises(StateError, match="was not prepared"):
            pair.measure_far("X")


def test_the_far_half_of_a_prepared_pair(opened: Callable[..., Link]) -> None:
    found = opened(
        pair_of(slots=2, swap_time=US, measure_time=US), 6, service=Service.PREPARE, bases=("X", "Y", "Z")
    )
    for pair in found:
        told = pair.outcomes
        assert told is not None
        basis = told.bases[0]
        assert pair.measure_far(basis) == told.flip
        with pytest.raises(StateError, match="used already"):
            pair.measure_far(basis)
        with pytest.raises(InputError, match="basis"):
            pair.measure_far("W")
        with pytest.raises(StateError, match="was measured by its ends"):
            pair.teleport("0")


def test_a_kept_pair_has_no_outcomes(opened: Callable[..., Link]) -> None:
    pair = next(opened(pair_of()))
    assert pair.outcomes is None
    with pytest.raises(StateError, match="was not prepared"):
        pair.measure_far("Z")


def test_the_pairs_of_a_packet_come_together(opened: Callable[..., Link]) -> None:
    found = opened(pair_of(slots=3, model=link(0.3)), 3, window=50 * MS)
    assert found.packet is None
    pairs = list(found)
    packet = found.packet
    assert packet is not None
    assert packet.pairs == tuple(pair.delivered.pair for pair in pairs)
    assert {pair.delivered_at for pair in pairs} == {packet.at}
    assert all(pair.measure("Z") for pair in pairs)
