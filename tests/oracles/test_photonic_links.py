"""Links without memories against sums over photon numbers and against clicks drawn one by one."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest

from quantum_fabric.devices import Detector, Emitter, Fibre, PairSource, WeakPulse, sheet
from quantum_fabric.errors import QuantityError
from quantum_fabric.links import Parts, build
from quantum_fabric.links.direct_transmission import DirectTransmission
from quantum_fabric.links.pair_distribution import PairDistribution

NODE = sheet("node", "ideal")
FIBRE = Fibre(attenuation=0.2e-3, fixed_loss=0.7)


def pattern(
    numbers: tuple[int, ...], etas: tuple[float, ...], darks: tuple[float, ...], clicks: tuple[int, ...]
) -> float:
    """Probability that exactly the detectors of ``clicks`` click, photon by photon."""
    chance = 1.0
    for n, eta, dark, click in zip(numbers, etas, darks, clicks, strict=True):
        silent = (1.0 - dark) * (1.0 - eta) ** n
        chance *= 1.0 - silent if click else silent
    return chance


def by_fock_sum(
    chances: list[float], eta: tuple[float, float], dark: tuple[float, float], policy: str
) -> tuple[float, float]:
    """Gain and error: n pairs in one polarisation, m in the other, four detectors, sixteen patterns."""
    gain = wrong = 0.0
    etas, darks = (eta[0], eta[0], eta[1], eta[1]), (dark[0], dark[0], dark[1], dark[1])
    for (n, p_n), (m, p_m) in itertools.product(enumerate(chances), repeat=2):
        for clicks in itertools.product((0, 1), repeat=4):
            a, b = clicks[:2], clicks[2:]
            if not any(a) or not any(b) or (policy == "discard" and 2 in (sum(a), sum(b))):
                continue
            chance = p_n * p_m * pattern((n, m, n, m), etas, darks, clicks)
            gain += chance
            wrong += chance * (0.5 if 2 in (sum(a), sum(b)) else float(a != b))
    return gain, wrong / gain


def thermal(mean: float, modes: int, largest: int) -> list[float]:
    one = np.array([(mean / modes) ** n / (1.0 + mean / modes) ** (n + 1) for n in range(largest)])
    total = np.array([1.0])
    for _ in range(modes):
        total = np.convolve(total, one)
    return list(total[:largest])


@pytest.mark.parametrize("policy", ["random", "discard"])
@pytest.mark.parametrize(("modes", "arms"), [(1, (5_000.0, 20_000.0)), (3, (0.0, 40_000.0))])
def test_pulsed_pairs_by_fock_sum(modes: int, arms: tuple[float, float], policy: str) -> None:
    source = PairSource(
        pair_rate=4e7,
        pulse_period=10_000,
        fidelity=0.96,
        collection_a=0.6,
        collection_b=0.7,
        bell=2,
        schmidt_modes=modes,
    )
    detector = Detector(efficiency=0.7, dark_rate=2e5, window=4_000, jitter=2e-9, double_click=policy)
    point = build("pair_distribution", NODE, NODE, FIBRE, arms, detector, source).heralding()
    kept = math.erf(4.0 / (2.0 * math.sqrt(2.0) * (2.0 / (2.0 * math.sqrt(2.0 * math.log(2.0))))))
    eta = [
        share * 10.0 ** (-(0.2e-3 * arm + 0.7) / 10.0) * 0.7 * kept
        for share, arm in zip((0.6, 0.7), arms, strict=True)
    ]
    dark = 1.0 - math.exp(-2e5 * 4e-9)
    gain, error = by_fock_sum(thermal(0.2, modes, 14), (eta[0], eta[1]), (dark, dark), policy)
    left = (1.0 - 2.0 * error) * (4.0 * 0.96 - 1.0) / 3.0
    assert point.success == pytest.approx(gain, rel=1e-7)
    assert point.fidelity == pytest.approx(0.25 * (1.0 + 3.0 * left), abs=1e-7)
    assert point.outcomes[0].bell == 2
    assert point.outcomes[0].weights[1:] == pytest.approx([0.25 * (1.0 - left)] * 3, abs=1e-7)


def test_continuous_pairs_click_by_click() -> None:
    """Windows drawn one by one from Poissonian pairs, singles and dark counts: 5 standard errors, false alarms below 1e-6."""
    rng = np.random.default_rng(20_261_121)
    windows, pairs, eta, false = 400_000, 0.12, (0.5, 0.3), 0.01
    fibre = Fibre(attenuation=0.0)
    source = PairSource(
        pair_rate=pairs / 1e-9, drive="continuous", collection_a=eta[0], collection_b=eta[1], fidelity=0.97
    )
    detector = Detector(window=1000, dark_rate=false / 1e-9, jitter=0.4e-9)
    point = PairDistribution(Parts(NODE, NODE, fibre, (0.0, 0.0), detector, source)).heralding()
    kept = math.erf(math.sqrt(math.log(2.0)) / (0.4 * math.sqrt(2.0)))
    clicks = np.zeros((windows, 4), dtype=bool)
    numbers = rng.poisson(pairs, windows)
    for order in range(1, int(numbers.max()) + 1):
        rows = np.flatnonzero(numbers >= order)
        bit = rng.integers(0, 2, rows.size)
        flip = rng.random(rows.size) < 0.5 * (1.0 - (4.0 * 0.97 - 1.0) / 3.0)
        at_a, at_b = rng.random(rows.size) < eta[0], rng.random(rows.size) < eta[1]
        # a photon that jitters away from its twin is replaced by a stranger from next door: same rate, no correlation
        apart = at_a & at_b & (rng.random(rows.size) > kept)
        clicks[rows[at_a], bit[at_a]] = True
        other = np.where(apart, rng.integers(0, 2, rows.size), bit ^ flip)
        stays = at_b & ~apart
        clicks[rows[stays], 2 + other[stays]] = True
        strangers = rng.integers(0, windows, int(apart.sum()))
        clicks[strangers, 2 + other[apart]] = True
    clicks |= rng.random((windows, 4)) < 1.0 - math.exp(-false)
    both = clicks[:, :2].any(axis=1) & clicks[:, 2:].any(axis=1)
    doubles = clicks[:, :2].all(axis=1) | clicks[:, 2:].all(axis=1)
    wrong = np.where(doubles, rng.random(windows) < 0.5, clicks[:, 0] != clicks[:, 2])[both]
    gain = both.mean()
    assert gain == pytest.approx(point.success, abs=5.0 * math.sqrt(gain / windows))
    error = 2.0 * (1.0 - point.fidelity) / 3.0
    assert wrong.mean() == pytest.approx(error, abs=5.0 * math.sqrt(error * (1 - error) / both.sum()))
    assert [caution.where for caution in point.cautions] == ["clicks in a window"]


def poisson(mean: float) -> list[float]:
    return [math.exp(-mean) * mean**n / math.factorial(n) for n in range(30)]


@pytest.mark.parametrize("policy", ["random", "discard"])
@pytest.mark.parametrize(
    "source",
    [
        Emitter(brightness=0.6, g2=0.1, state_error=0.03, pulse_period=20_000),
        WeakPulse(signal=0.7, state_error=0.03, pulse_period=20_000),
    ],
    ids=["emitter", "weak pulse"],
)
def test_direct_transmission_by_photon_sum(source: Emitter | WeakPulse, policy: str) -> None:
    detector = Detector(efficiency=0.8, dark_rate=1e5, window=5_000, double_click=policy)
    point = build("direct_transmission", NODE, NODE, FIBRE, (0.0, 20_000.0), detector, source).heralding()
    if isinstance(source, Emitter):
        two = next(
            p for p in np.linspace(0.0, 0.3, 300_001) if 2.0 * p >= 0.1 * (0.6 + p) ** 2
        )  # g2 solved by search
        chances = [0.4, 0.6 - two, two]
    else:
        chances = poisson(0.7)
    eta, dark = 0.8 * 10.0 ** (-(4.0 + 0.7) / 10.0), 1.0 - math.exp(-1e5 * 5e-9)
    gain, wrong, single = 0.0, 0.0, [0.0, 0.0]
    for n, chance in enumerate(chances):
        for right in range(n + 1):  # photons that reach for the right detector
            turn = math.comb(n, right) * 0.97**right * 0.03 ** (n - right)
            for clicks in itertools.product((0, 1), repeat=2):
                if not any(clicks) or (policy == "discard" and all(clicks)):
                    continue
                p = chance * turn * pattern((right, n - right), (eta, eta), (dark, dark), clicks)
                error = 0.5 if all(clicks) else float(clicks[1])
                gain, wrong = gain + p, wrong + p * error
                if n == 1:
                    single = [single[0] + p, single[1] + p * error]
    assert point.success == pytest.approx(gain, rel=2e-6)
    weights = point.weights
    assert weights[2] + weights[3] == pytest.approx(wrong / gain, rel=2e-5)  # Z error: Psi+ and Psi-
    phase = (single[1] + 0.5 * (gain - single[0])) / gain
    assert weights[1] + weights[3] == pytest.approx(phase, rel=2e-5)  # X error: Phi- and Psi-


def test_the_gain_of_the_decoy_theory() -> None:
    """Ma, Qi, Zhao, Lo 2005: Q = Y0 + 1 - e^(-ημ), E Q = Y0/2 + e_d (1 - e^(-ημ)), to the order Y0 η μ and (ημ)²."""
    source = sheet("weak_pulse", "gys-decoy")
    detector = Detector(efficiency=0.045, dark_rate=0.85e-6 / 1e-9, window=1000)
    point = DirectTransmission(
        Parts(NODE, NODE, Fibre(attenuation=0.21e-3), (0.0, 100_000.0), detector, source)
    ).heralding()
    y_0, clicks = 1.7e-6, -math.expm1(-0.48 * 0.045 * 10.0**-2.1)
    gain = y_0 + clicks
    assert point.success == pytest.approx(gain, rel=1e-3)
    assert point.weights[2] + point.weights[3] == pytest.approx((0.5 * y_0 + 0.033 * clicks) / gain, rel=1e-3)


def test_dead_time_and_afterpulses_reach_the_link() -> None:
    source = PairSource(pair_rate=1e6, drive="continuous", fidelity=0.98)
    clean = Detector(efficiency=0.5, window=1000)
    parts = Parts(NODE, NODE, Fibre(attenuation=0.0), (0.0, 0.0), clean, source)
    free = PairDistribution(parts).heralding()
    slow = PairDistribution(
        dataclasses.replace(parts, detector=dataclasses.replace(clean, dead_time=1e-6))
    ).heralding()
    # a quarter of a million clicks per s on each detector: live 1/(1 + 0.25) of the time, at both ends
    assert slow.success / free.success == pytest.approx(1.25**-2, rel=1e-3)
    trapped = dataclasses.replace(clean, afterpulse=0.05, afterpulse_decay=1e-6)
    assert PairDistribution(dataclasses.replace(parts, detector=trapped)).heralding().fidelity < free.fidelity
    capped = dataclasses.replace(clean, max_rate=1e5)
    point = PairDistribution(dataclasses.replace(parts, detector=capped)).heralding()
    assert point.success / free.success == pytest.approx(0.4**2, rel=1e-3)
    assert {caution.where for caution in point.cautions} == {"detectors of a", "detectors of b"}


def test_dispersion_blurs_the_difference_of_both_times() -> None:
    source = PairSource(pair_rate=1e6, drive="continuous", linewidth=1e-9)
    detector = Detector(efficiency=0.5, window=1000, jitter=0.2e-9)
    fibre = Fibre(attenuation=0.0, dispersion=17e-6)
    points = [
        PairDistribution(Parts(NODE, NODE, fibre, arms, detector, source)).heralding()
        for arms in ((30_000.0, 30_000.0), (60_000.0, 0.0))
    ]
    assert points[0].success == pytest.approx(points[1].success, rel=1e-9)
    width = math.sqrt(2 * 0.2**2 + (17e-3 * 60.0) ** 2)  # ns: 17 ps/nm/km x 1 nm x 60 km
    pairs, singles = 1e-3 * 0.25, 1e-3 * 0.5
    tied = pairs * math.erf(math.sqrt(math.log(2.0)) / width)
    assert points[0].success == pytest.approx(tied + singles**2, rel=2e-3)


def test_raman_noise_of_the_carrier_is_an_accidental() -> None:
    lit = Fibre(attenuation=0.2e-3, classical_power=1e-4, raman=2e-3, filter_bandwidth=1e-10)
    dark = Fibre(attenuation=0.2e-3)
    source, detector = PairSource(pair_rate=1e6, drive="continuous"), Detector(efficiency=0.5, window=1000)
    parts = Parts(NODE, NODE, dark, (25_000.0, 25_000.0), detector, source)
    quiet = PairDistribution(parts).heralding()
    noisy = PairDistribution(dataclasses.replace(parts, fibre=lit)).heralding()
    noise = 0.5 * lit.noise(25_000.0) * 1e-9
    singles, tied = 1e-3 * 0.5 * 10**-0.5, 1e-3 * 0.25 * 0.1
    for point, each in ((quiet, singles), (noisy, singles + noise)):
        lone = -math.expm1(-each)
        expected = lone**2 + math.exp(-2.0 * each) * math.expm1(tied)
        assert point.success == pytest.approx(expected, rel=1e-9)
    assert noisy.fidelity < quiet.fidelity


def test_links_refuse_light_of_the_wrong_kind() -> None:
    with pytest.raises(
        QuantityError, match=r"source: found Emitter, expected a pair_source between the ends"
    ):
        build("pair_distribution", NODE, NODE, FIBRE, (0.0, 0.0), source=Emitter())
    with pytest.raises(
        QuantityError, match=r"source: found nothing, expected an emitter or a weak_pulse at a"
    ):
        build("direct_transmission", NODE, NODE, FIBRE, (0.0, 0.0))
    with pytest.raises(
        QuantityError, match=r"source: found PairSource, expected a pair source in the middle"
    ):
        build("midpoint_source", NODE, NODE, FIBRE, (0.0, 0.0), source=PairSource(pair_rate=1e6))


def test_only_light_in_the_carrier_must_fit_its_band() -> None:
    source = sheet("pair_source", "rubidium-1324")
    fibre = sheet("fibre", "smf-28-o")
    assert (
        build("pair_distribution", NODE, NODE, fibre, (0.0, 34_000.0), source=source).heralding().success
        > 0.0
    )
    with pytest.raises(QuantityError, match=r"source\.wavelength_a: found 795 nm"):
        build("pair_distribution", NODE, NODE, fibre, (10.0, 34_000.0), source=source)


def test_without_decoys_a_dim_link_is_warned_of() -> None:
    source = WeakPulse(signal=0.1)
    far = DirectTransmission(Parts(NODE, NODE, FIBRE, (0.0, 100_000.0), source=source)).heralding()
    assert [caution.where for caution in far.cautions] == ["pulses of several photons"]
    decoys = dataclasses.replace(source, decoy=0.01, signal_share=0.9, decoy_share=0.1)
    parts = Parts(NODE, NODE, FIBRE, (0.0, 100_000.0), source=decoys)
    assert DirectTransmission(parts).heralding().cautions == ()


@pytest.mark.parametrize(
    "source",
    [
        Emitter(brightness=0.6, g2=0.1, state_error=0.03, pulse_period=20_000),
        WeakPulse(signal=0.7, state_error=0.03),
    ],
    ids=["emitter", "weak pulse"],
)
def test_counting_receivers_by_photon_sum(source: Emitter | WeakPulse) -> None:
    detector = Detector(efficiency=0.8, dark_rate=1e6, window=1000, number_resolving=True)
    point = build(
        "direct_transmission", NODE, NODE, Fibre(attenuation=0.0), (0.0, 0.0), detector, source
    ).heralding()
    few = source.photons if isinstance(source, Emitter) else None
    chances = [few.none, few.one, few.two] if few else poisson(0.7)
    eta, dark, gain, wrong = 0.8, -math.expm1(-1e6 * 1e-9), 0.0, 0.0
    for n, chance in enumerate(chances):
        for caught in range(n + 1):
            arrive = chance * math.comb(n, caught) * eta**caught * (1 - eta) ** (n - caught)
            for right in range(caught + 1):
                turn = math.comb(caught, right) * 0.97**right * 0.03 ** (caught - right)
                for false in itertools.product((0, 1), repeat=2):
                    if caught + sum(false) != 1:
                        continue
                    p = arrive * turn * math.prod(dark if one else 1 - dark for one in false)
                    gain, wrong = gain + p, wrong + p * float(right + false[0] == 0)
    assert point.success == pytest.approx(gain, rel=1e-12)
    assert point.weights[2] + point.weights[3] == pytest.approx(wrong / gain, rel=1e-9)


def test_counting_detectors_reach_the_pair_link() -> None:
    bright = PairSource(pair_rate=2e8, pulse_period=1000)
    points = [
        PairDistribution(
            Parts(
                NODE,
                NODE,
                Fibre(attenuation=0.0),
                (0.0, 0.0),
                Detector(efficiency=0.9, number_resolving=flag),
                source,
            )
        ).heralding()
        for source in (bright, dataclasses.replace(bright, drive="continuous", pair_rate=2e7))
        for flag in (False, True)
    ]
    assert points[1].fidelity > points[0].fidelity
    assert points[3].fidelity > points[2].fidelity
