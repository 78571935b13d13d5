"""Pair sources against sums over photon numbers, amplitudes turned to another basis, and events drawn one by one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from quantum_fabric.physics.optics.bsm import two_source_bsm
from quantum_fabric.physics.optics.counted_pairs import counted_pulse, counted_window
from quantum_fabric.physics.optics.pair_source import (
    cw_rates,
    ma_fung_lo,
    pulsed_coincidences,
    window_coincidences,
)
from quantum_fabric.physics.optics.photon_statistics import heralded_g2

PATTERNS = list(itertools.product((0, 1), repeat=4))


def squashed(probabilities: dict[tuple[int, ...], float], policy: str = "random") -> tuple[float, float]:
    """Gain and error of the sixteen patterns (two detectors at a, two at b)."""
    gain = wrong = 0.0
    for clicks, chance in probabilities.items():
        a, b = clicks[:2], clicks[2:]
        if any(a) and any(b) and not (policy == "discard" and (all(a) or all(b))):
            gain += chance
            wrong += chance * (0.5 if all(a) or all(b) else float(a != b))
    return gain, wrong / gain


def fock_sum(
    lam: float, etas: tuple[float, float], darks: tuple[float, float], policy: str
) -> tuple[float, float]:
    """Two two-mode squeezed vacua, photon numbers 0 to 60, every pattern of four detectors."""
    n = np.arange(60)
    chance = lam**n / (1.0 + lam) ** (n + 1)
    silent = [(1.0 - dark) * (1.0 - eta) ** n for eta, dark in zip(etas, darks, strict=True)]
    seen = {}
    for clicks in PATTERNS:
        first, second = (
            chance
            * np.where(clicks[index], 1.0 - silent[0], silent[0])
            * np.where(clicks[2 + index], 1.0 - silent[1], silent[1])
            for index in (0, 1)
        )
        seen[clicks] = float(first.sum() * second.sum())
    return squashed(seen, policy)


@pytest.mark.parametrize("policy", ["random", "discard"])
@pytest.mark.parametrize("lam", [0.003, 0.05, 0.3, 1.0])
@pytest.mark.parametrize("etas", [(0.1, 0.1), (0.9, 0.2), (1.0, 1.0), (0.013, 0.7)])
def test_closed_form_is_the_fock_sum(lam: float, etas: tuple[float, float], policy: str) -> None:
    if lam == 1.0 and policy == "discard" and etas == (1.0, 1.0):
        assert pulsed_coincidences(1.0, 1.0, 1.0, double_clicks="discard").qber == pytest.approx(
            0.0, abs=1e-12
        )
        return
    for darks in ((0.0, 0.0), (1e-4, 3e-2)):
        gain, error = fock_sum(lam, etas, darks, policy)
        seen = pulsed_coincidences(lam, *etas, *darks, double_clicks=policy)
        assert float(seen.probability) == pytest.approx(gain, rel=1e-9)
        assert float(seen.qber) == pytest.approx(error, abs=1e-9)


def test_the_paper_differs_from_the_fock_sum_by_its_dark_counts() -> None:
    y_0 = 1e-3
    dark = 1.0 - math.sqrt(1.0 - y_0)
    gain, error = fock_sum(0.05, (0.1, 0.1), (dark, dark), "random")
    paper = ma_fung_lo(0.05, 0.1, 0.1, y_0, y_0, 0.0)
    assert float(paper[0]) == pytest.approx(gain, rel=1e-9)
    assert error - float(paper[1]) == pytest.approx((1.0 - 2.0 * error) * y_0 / 2.0, rel=1e-2)


def rotation(total: int, angle: float) -> np.ndarray:
    """Amplitudes <j, N-j| R |n, N-n> of a turn of two polarisations, by binomials."""
    c, s = math.cos(angle), math.sin(angle)
    table = np.zeros((total + 1, total + 1))
    for n, j in itertools.product(range(total + 1), repeat=2):
        for r in range(max(0, j - total + n), min(n, j) + 1):
            # a_H -> c a_H + s a_V, a_V -> -s a_H + c a_V; r of the n keep their polarisation
            amplitude = float(math.comb(n, r) * math.comb(total - n, j - r))
            amplitude *= c ** (r + total - n - j + r) * s ** (n - r) * (-s) ** (j - r)
            table[j, n] += amplitude * math.sqrt(
                math.factorial(j) * math.factorial(total - j) / math.factorial(n) / math.factorial(total - n)
            )
    return table


@pytest.mark.parametrize("angle", [0.0, 0.3, math.pi / 4])
def test_the_error_rate_is_the_same_in_every_basis(angle: float) -> None:
    """The amplitudes of N pairs, turned alike at both ends, give the same clicks as the closed form."""
    lam, etas, darks = 0.1, (0.4, 0.6), (1e-3, 2e-3)
    seen = dict.fromkeys(PATTERNS, 0.0)
    for total in range(16):
        turn = rotation(total, angle)
        assert turn @ turn.T == pytest.approx(np.eye(total + 1), abs=1e-8)
        weight = lam**total / (1.0 + lam) ** (total + 2)
        chances = weight * (turn @ turn.T) ** 2  # Σ_n |n> |n>, turned at both ends
        for (i, j), clicks in itertools.product(np.ndindex(total + 1, total + 1), PATTERNS):
            chance = chances[i, j]
            for n, eta, dark, click in zip(
                (i, total - i, j, total - j), np.repeat(etas, 2), np.repeat(darks, 2), clicks, strict=True
            ):
                silent = (1.0 - dark) * (1.0 - eta) ** n
                chance *= 1.0 - silent if click else silent
            seen[clicks] += float(chance)
    gain, error = squashed(seen)
    closed = pulsed_coincidences(lam, *etas, *darks)
    assert float(closed.probability) == pytest.approx(gain, rel=1e-7)
    assert float(closed.qber) == pytest.approx(error, abs=1e-7)


@pytest.mark.parametrize(
    ("lam", "visibility"), [(0.01, 0.980582524), (0.05, 0.913043478), (0.1, 0.846153846), (0.2, 0.75)]
)
def test_visibility_at_low_efficiency(lam: float, visibility: float) -> None:
    assert float(pulsed_coincidences(lam, 1e-8, 1e-8).contrast) == pytest.approx(visibility, abs=1e-7)
    assert visibility == pytest.approx((1 + lam) / (1 + 3 * lam), abs=1e-9)
    poissonian = pulsed_coincidences(lam, 1e-8, 1e-8, modes=math.inf)
    assert float(poissonian.contrast) == pytest.approx(1.0 / (1.0 + 2.0 * lam), abs=1e-7)


def test_regression_numbers() -> None:
    gain, error = ma_fung_lo(0.05, 0.1, 0.1, 1e-6, 1e-6, 0.015)
    assert float(gain) == pytest.approx(1.118372169e-3, rel=1e-9)
    assert float(error) == pytest.approx(0.0534128321, abs=1e-10)
    gain, error = ma_fung_lo(0.3, 0.9, 0.9, 0.0, 0.0, 0.0)
    assert float(gain) == pytest.approx(0.354453975762, abs=1e-12)
    assert float(error) == pytest.approx(0.073967867611, abs=1e-12)
    for lam, g2 in ((0.01, 0.039023453), (0.05, 0.177685950), (0.1, 0.319444444)):
        assert float(heralded_g2(lam)) == pytest.approx(g2, abs=1e-9)
    rates = cw_rates(1e6, 0.1, 0.01, 200.0, 200.0, 1e-9, 0.3e-9)
    assert float(rates.total) == pytest.approx(1000.935202139, abs=1e-9)
    assert float(rates.qber(0.01)) == pytest.approx(0.010500332, abs=1e-9)


@pytest.mark.parametrize("modes", [1, 2, 5])
@pytest.mark.parametrize(
    ("lam", "eta", "dark"), [(0.05, 0.6, 0.0), (0.4, 1.0, 1e-2), (1.5, 0.05, 0.3), (0.2, 1e-6, 0.0)]
)
def test_heralded_g2_by_photon_sum(modes: int, lam: float, eta: float, dark: float) -> None:
    one = (lam / modes) ** np.arange(120) / (1.0 + lam / modes) ** np.arange(1, 121)
    chances = np.array([1.0])
    for _ in range(modes):
        chances = np.convolve(chances, one)
    n = np.arange(chances.size)
    heralded = chances * (1.0 - (1.0 - dark) * (1.0 - eta) ** n)
    g2 = (heralded @ (n * (n - 1))) * heralded.sum() / (heralded @ n) ** 2
    assert float(heralded_g2(lam, eta, dark, modes)) == pytest.approx(g2, rel=1e-7)
    if eta == 1e-6:
        assert float(heralded_g2(lam, 0.0, 0.0, modes)) == pytest.approx(g2, rel=1e-5)


def test_continuous_coincidences_event_by_event() -> None:
    """Half a second of time tags, 5 standard errors (false alarms below 1e-6 each)."""
    rng = np.random.default_rng(20_261_122)
    pair_rate, etas, dark, span, window, jitter = 4e5, (0.3, 0.2), (3e4, 5e4), 1.0, 3e-9, 0.8e-9
    born = rng.random(rng.poisson(pair_rate * span)) * span
    bits = rng.integers(0, 2, born.size)
    tags, results = [], []
    for eta, false in zip(etas, dark, strict=True):
        caught = rng.random(born.size) < eta
        noise = rng.random(rng.poisson(false * span)) * span
        times = np.concatenate([born[caught] + rng.normal(0.0, jitter, int(caught.sum())), noise])
        flips = bits[caught] ^ (rng.random(int(caught.sum())) < 0.01)
        values = np.concatenate([flips, rng.integers(0, 2, noise.size)])
        order = np.argsort(times)
        tags.append(times[order])
        results.append(values[order])
    # every pair of tags no more than half a window apart is a coincidence
    low = np.searchsorted(tags[1], tags[0] - 0.5 * window)
    high = np.searchsorted(tags[1], tags[0] + 0.5 * window)
    found = [(i, j) for i in np.flatnonzero(high > low) for j in range(low[i], high[i])]
    wrong = sum(results[0][i] != results[1][j] for i, j in found)
    fwhm = 2.0 * math.sqrt(2.0 * math.log(2.0)) * jitter * math.sqrt(2.0)
    rates = cw_rates(pair_rate, *etas, *dark, window, fwhm)
    total = float(rates.total) * span
    assert len(found) == pytest.approx(total, abs=5.0 * math.sqrt(total))
    error = float(rates.qber(1.0 - (0.99**2 + 0.01**2)))
    assert wrong / len(found) == pytest.approx(error, abs=5.0 * math.sqrt(error / len(found)))


def test_windows_that_fill_up_start_out_as_rates() -> None:
    for scale in (1e-3, 1e-4):
        pairs = 5.0 * scale
        rates = cw_rates(pairs / 1e-9, 0.3, 0.2, scale / 1e-9, scale / 1e-9, 1e-9)
        singles = (pairs * 0.3 + scale, pairs * 0.2 + scale)
        seen = window_coincidences(*singles, pairs * 0.06, 0.98)
        expected = float(rates.total) * 1e-9
        assert float(seen.probability) == pytest.approx(expected, rel=2.0 * sum(singles))
        assert float(seen.qber) == pytest.approx(float(rates.qber(0.01)), abs=sum(singles))


def arrangements(idlers: tuple[int, ...]) -> dict[tuple[int, ...], float]:
    """Amplitudes of photons in (H of a, V of a, H of b, V of b) behind the splitter, one photon after the other.

    Written as polynomials in the creation operators of H and V at the outputs c and d, one factor for each photon.
    """
    terms: dict[tuple[int, ...], float] = {(0, 0, 0, 0): 1.0}
    for mode, count in enumerate(idlers):
        polarisation, sign = mode % 2, (1.0 if mode < 2 else -1.0)
        for _ in range(count):
            grown: dict[tuple[int, ...], float] = {}
            for powers, amplitude in terms.items():
                for output, factor in ((0, 1.0), (1, sign)):
                    place = 2 * output + polarisation
                    key = tuple(p + (k == place) for k, p in enumerate(powers))
                    grown[key] = grown.get(key, 0.0) + amplitude * factor / math.sqrt(2.0)
            terms = grown
    norm = math.sqrt(math.prod(math.factorial(n) for n in idlers))
    return {p: a * math.sqrt(math.prod(map(math.factorial, p))) / norm for p, a in terms.items()}


HERALDS = {(1, 1, 0, 0): 1.0, (0, 0, 1, 1): 1.0, (1, 0, 0, 1): -1.0, (0, 1, 1, 0): -1.0}
"""Clicks (H and V at c, H and V at d) -> sign of the announced Ψ."""


@pytest.mark.parametrize(("lam_a", "lam_b", "eta", "dark"), [(0.02, 0.02, 0.6, 0.0), (0.05, 0.02, 0.3, 1e-3)])
def test_bell_measurement_by_polynomials(lam_a: float, lam_b: float, eta: float, dark: float) -> None:
    """Up to five pairs, all four modes at once, amplitudes from creation operators; what is left is of order λ^6."""
    total = right = each = doubles = 0.0
    ratio = (lam_a / (1 + lam_a), lam_b / (1 + lam_b))
    rest = 1.0 / ((1 + lam_a) * (1 + lam_b))
    states = {}
    for idlers in itertools.product(range(6), repeat=4):
        if sum(idlers) > 5:
            continue
        weight = (
            rest * ratio[0] ** (0.5 * (idlers[0] + idlers[1])) * ratio[1] ** (0.5 * (idlers[2] + idlers[3]))
        )
        states[idlers] = {p: weight * a for p, a in arrangements(idlers).items()}
    for clicks, sign in HERALDS.items():

        def seen(powers: tuple[int, ...], clicks: tuple[int, ...] = clicks) -> float:
            silent = [(1 - dark) * (1 - eta) ** n for n in powers]
            return math.prod(1 - s if c else s for s, c in zip(silent, clicks, strict=True))

        for idlers, amplitudes in states.items():
            chance = sum(a * a * seen(p) for p, a in amplitudes.items())
            total += chance
            at_a, at_b = idlers[0] + idlers[1], idlers[2] + idlers[3]
            each += chance * ((at_a, at_b) == (1, 1))
            doubles += chance * (min(at_a, at_b) == 0 and max(at_a, at_b) >= 2)
        hv, vh = states[(1, 0, 0, 1)], states[(0, 1, 1, 0)]
        right += sum(
            0.5 * (hv.get(p, 0.0) + sign * vh.get(p, 0.0)) ** 2 * seen(p) for p in hv.keys() | vh.keys()
        )
    herald = two_source_bsm(lam_a, lam_b, eta, dark)
    assert herald.probability == pytest.approx(total, rel=3e-4)
    assert herald.fidelity == pytest.approx(right / total, abs=3e-4)
    assert herald.one_each == pytest.approx(each / total, abs=3e-4)
    assert herald.double == pytest.approx(doubles / total, abs=3e-4)


@pytest.mark.parametrize(("lam", "eta", "dark"), [(1e-3, 0.1, 0.0), (0.05, 0.7, 1e-4), (0.2, 1.0, 1e-2)])
def test_clicks_behind_the_splitter_are_those_of_thermal_light(lam: float, eta: float, dark: float) -> None:
    """Alike thermal beams stay thermal on a splitter: the herald probability has a closed form."""
    silent = (1.0 - dark) / (1.0 + lam * eta)
    closed = 4.0 * (silent * (1.0 - silent)) ** 2
    assert two_source_bsm(lam, lam, eta, dark, largest=12).probability == pytest.approx(closed, rel=1e-8)


def test_double_pairs_herald_as_often_as_one_pair_each() -> None:
    """The trap of two down-conversion sources: in the limit of few pairs half of the heralds are no pair at all."""
    for counting in (False, True):
        herald = two_source_bsm(1e-6, 1e-6, 0.3, counting=counting)
        assert herald.double / herald.one_each == pytest.approx(1.0, abs=1e-5)
        assert herald.fidelity == pytest.approx(0.5, abs=1e-5)
        assert herald.postselected == pytest.approx(1.0, abs=1e-5)
        assert herald.probability == pytest.approx(4.0 * 1e-12 * 0.09, rel=1e-5)
    lopsided = two_source_bsm(1e-4, 1e-6, 0.3)  # making one source weaker makes it worse
    assert lopsided.fidelity < 0.03


def counts(n: np.ndarray, eta: float, dark: float, count: int) -> np.ndarray:
    """Probability of a count of n photons and at most one dark count."""
    none: np.ndarray = (1.0 - eta) ** n
    if count == 0:
        return np.asarray((1.0 - dark) * none)
    return np.asarray((1.0 - dark) * n * eta * (1.0 - eta) ** np.maximum(n - 1, 0) + dark * none)


@pytest.mark.parametrize(("lam", "modes"), [(0.02, 1), (0.5, 1), (0.3, 3)])
@pytest.mark.parametrize(("etas", "darks"), [((0.5, 0.7), (0.01, 0.02)), ((1.0, 0.3), (0.0, 0.0))])
def test_counting_detectors_by_fock_sum(
    lam: float, modes: int, etas: tuple[float, float], darks: tuple[float, float]
) -> None:
    one = (lam / modes) ** np.arange(80) / (1.0 + lam / modes) ** np.arange(1, 81)
    chances = np.array([1.0])
    for _ in range(modes):
        chances = np.convolve(chances, one)
    n = np.arange(chances.size)
    table = {
        (i, j): float(np.sum(chances * counts(n, etas[0], darks[0], i) * counts(n, etas[1], darks[1], j)))
        for i, j in itertools.product((0, 1), repeat=2)
    }
    same, different = 2.0 * table[1, 1] * table[0, 0], 2.0 * table[1, 0] * table[0, 1]
    seen = counted_pulse(lam, *etas, *darks, modes=modes)
    assert float(seen.probability) == pytest.approx(same + different, rel=1e-10)
    assert float(seen.qber) == pytest.approx(different / (same + different), abs=1e-12)
    lone = [float(np.sum(chances * counts(n, etas[0], darks[0], k))) for k in (0, 1)]
    assert float(seen.click_a) == pytest.approx(2.0 * lone[0] * lone[1], rel=1e-10)


def test_counting_in_a_window_is_counting_poissonian_pairs() -> None:
    """Without dark counts a window of a continuous source is a pulse of very many modes."""
    pulse = counted_pulse(0.2, 0.4, 0.6, modes=math.inf)
    window = counted_window(0.4 * 0.4, 0.4 * 0.6, 0.4 * 0.24)
    assert float(window.probability) == pytest.approx(float(pulse.probability), rel=1e-12)
    assert float(window.contrast) == pytest.approx(float(pulse.contrast), rel=1e-12)
    bucket = window_coincidences(0.4 * 0.4, 0.4 * 0.6, 0.4 * 0.24)
    clicks = pulsed_coincidences(0.2, 0.4, 0.6, modes=math.inf)
    assert float(bucket.contrast) == pytest.approx(float(clicks.contrast), rel=1e-12)
    assert float(window.contrast) > float(bucket.contrast)
