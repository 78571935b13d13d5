"""Time-bin BB84 with three states and one decoy, as run over hundreds of kilometres: from the loss of a fibre to bits per second.

The key basis is the arrival time (two states), the test basis the phase between the two bins, of which only one state is sent. With
states prepared without flaw, that one and the two time states fix the phase error rate exactly as four states would (Tamaki,
Curty, Kato, Lo, Azuma, PRA 90, 052314 (2014)), so the key length is that of `one_decoy`.

Source of the scheme: Boaron et al., PRL 121, 190502 (2018). The receiver is a passive splitter; behind it one detector reads arrival
times, another watches one output of an interferometer, where half of the light of a pulse falls into the bin that interferes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from quantum_fabric.errors import Caution
from quantum_fabric.physics.checks import check_range
from quantum_fabric.physics.merit import binary_entropy
from quantum_fabric.physics.qkd.finite_key import Counts, FiniteKey
from quantum_fabric.physics.qkd.finite_rate import Setting
from quantum_fabric.physics.qkd.ledger import Security
from quantum_fabric.physics.qkd.one_decoy import one_decoy_key


@dataclass(frozen=True, slots=True)
class TimeBinSystem:
    """A sender and receiver of time-bin pulses.

    Attributes:
        clock: pulse pairs sent for each second (Hz), above 0.
        efficiency: of the receiver with its detectors, in (0, 1].
        dark_rate: dark counts of one detector (Hz), >= 0.
        window: fraction of the clock period in which a click is accepted, in (0, 1].
        key_misalignment: chance that a photon appears in the wrong bin, in [0, 0.5].
        test_misalignment: the same in the interferometer: ``(1 - visibility)/2``.
        receiver_key_basis: fraction of light that the receiver's splitter sends to the arrival-time detector, in (0, 1).
        dead_time: of a detector after a click (s), >= 0.
        inefficiency: f of error correction, at least 1.
        jitter_kept: fraction of the photons that the window keeps, in (0, 1].

    Raises:
        QuantityError: a field outside its domain.

    Examples:
        >>> TimeBinSystem(clock=2.5e9, efficiency=0.5, dark_rate=0.1).inefficiency
        1.16
    """

    clock: float
    efficiency: float
    dark_rate: float
    window: float = 1.0
    key_misalignment: float = 0.005
    test_misalignment: float = 0.01
    receiver_key_basis: float = 0.5
    dead_time: float = 0.0
    inefficiency: float = 1.16
    jitter_kept: float = 1.0

    def __post_init__(self) -> None:
        check_range(self.clock, 1e-300, math.inf, "clock")
        for name in ("efficiency", "window", "receiver_key_basis", "jitter_kept"):
            check_range(getattr(self, name), 1e-300, 1.0, name)
        for name in ("key_misalignment", "test_misalignment"):
            check_range(getattr(self, name), 0.0, 0.5, name)
        for name in ("dark_rate", "dead_time"):
            check_range(getattr(self, name), 0.0, math.inf, name)
        check_range(self.inefficiency, 1.0, math.inf, "inefficiency")


@dataclass(frozen=True, slots=True)
class TimeBinBlock:
    """What one block of the link is expected to give.

    Attributes:
        key: the key of the block.
        duration: time until the block is full (s).
        key_error: error rate of the arrival times.
        test_error: error rate of the phases.
        live: fraction of time in which the arrival-time detector is not dead.
        cautions: what the model does not cover here.
    """

    key: FiniteKey
    duration: float
    key_error: float
    test_error: float
    live: float
    cautions: tuple[Caution, ...] = ()

    @property
    def rate(self) -> float:
        """Secret bits for each second."""
        return float(self.key.length) / self.duration


def time_bin_block(
    system: TimeBinSystem, channel: float, setting: Setting, block: float, security: Security
) -> TimeBinBlock:
    """Expected block of a three-state time-bin link with one decoy.

    Equation: detections of an intensity k in the key basis ``q_A q_B (1 - e^(-ηk) + 2 p_dc e^(-ηk))`` for each pulse, of the test
    basis ``(1 - q_A)(1 - q_B)(...)/2``; a rate R through a detector with dead time T counts ``R/(1 + R T)``. Key length: `one_decoy`.

    Args:
        system: hardware.
        channel: transmission of the fibre alone, in (0, 1].
        setting: the sender's key-basis chance, two intensities and their chances.
        block: detections of the key basis in a block, above 0.
        security: ε_sec and ε_cor.

    Returns:
        The block with its duration.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        Counts at their mean; non-paralysable dead time; state preparation without flaw; bits of the test basis are lost.

    Examples:
        >>> system = TimeBinSystem(clock=2.5e9, efficiency=0.3, dark_rate=0.1)
        >>> setting = Setting(0.9, (0.49, 0.18), (0.7, 0.3))
        >>> result = time_bin_block(system, 10**-4.27, setting, 8.2e6, Security(1e-9, 1e-15))
        >>> 1e3 < result.rate < 1e4, round(result.key_error, 4)
        (True, 0.005)
    """
    eta = check_range(channel, 1e-300, 1.0, "channel").item() * system.efficiency * system.jitter_kept
    check_range(block, 1.0, math.inf, "block")
    mu, p = np.array(setting.intensities), np.array(setting.probabilities)
    q_a, q_b = setting.key_basis, system.receiver_key_basis
    dark = system.dark_rate * system.window / system.clock  # of one detector in the accepted part of a period
    # the splitter and the unused bins of the interferometer are passive losses of the light, not of the dark counts
    key_light, test_light = -np.expm1(-eta * q_b * mu), -np.expm1(-eta * (1.0 - q_b) * mu / 2.0)
    key, key_wrong = _clicks(key_light, dark, system.key_misalignment)
    test, test_wrong = _clicks(test_light, dark, system.test_misalignment)
    fired = system.clock * float((p * key).sum())
    live = 1.0 / (1.0 + fired * system.dead_time)
    pulses = block / (q_a * live * float((p * key).sum()))
    in_key, in_test = pulses * live * q_a * p, pulses * (1.0 - q_a) * p
    counts = Counts(in_key * key, in_key * key_wrong, in_test * test, in_test * test_wrong)
    error = float(counts.key_errors.sum()) / block
    leak = block * system.inefficiency * float(binary_entropy(min(error, 0.5)))
    extracted = one_decoy_key(counts, mu, p, security, leak)
    cautions = []
    if live < 0.5:
        cautions.append(
            Caution(
                "detector.dead_time",
                f"live {live:.2f} of the time",
                "at least 0.5",
                "clicks are no longer independent",
            )
        )
    tested = counts.test.sum()
    return TimeBinBlock(
        extracted,
        pulses / system.clock,
        error,
        float(counts.test_errors.sum() / tested) if tested > 0.0 else 0.5,
        live,
        tuple(cautions),
    )


def _clicks(light: np.ndarray, dark: float, misalignment: float) -> tuple[np.ndarray, np.ndarray]:
    """Accepted clicks and wrong ones for each pulse; a dark count is wrong half the time."""
    false = dark * (1.0 - light)
    return (light + false, misalignment * light + false / 2.0)
