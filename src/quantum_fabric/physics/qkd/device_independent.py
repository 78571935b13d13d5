"""Device-independent QKD: a key whose secrecy follows from a CHSH value alone, for any device.

The asymptotic fraction is `merit.di_fraction`. Here is a finite block by entropy accumulation: against any strategy, with memory,
the smooth min-entropy of the outcomes is the number of rounds times a single-round bound, less terms of order √n.

Sources: Acín et al., PRL 98, 230501 (2007) (single round); Arnon-Friedman et al., Nat. Commun. 9, 459 (2018) (protocol and proof);
Dupuis & Fawzi, IEEE Trans. Inf. Theory 65, 7596 (2019) (the second-order terms used here).
Constants are those of the generalised theorem (Metger, Fawzi, Sutter, Renner, 2022) as public programs have it, after substituting
``(α-1)/(2-α)``; they were not read in the papers. Treat a finite length as an estimate, good to tell "some key" from "none".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.checks import Floats, check_range
from quantum_fabric.physics.merit import TSIRELSON, binary_entropy
from quantum_fabric.physics.optimum import golden
from quantum_fabric.physics.qkd.ledger import Ledger, Security


@dataclass(frozen=True, slots=True)
class AccumulatedKey:
    """What a device-independent block is worth.

    Attributes:
        signed_length: key bits before they are cut at zero.
        entropy: bound on the smooth min-entropy of the outcomes (bit).
        leak: bits announced for error correction.
        asymptotic: key bits that an infinitely long run would give in as many rounds.
        ledger: the failure probabilities.
    """

    signed_length: float
    entropy: float
    leak: float
    asymptotic: float
    ledger: Ledger

    @property
    def length(self) -> int:
        """Bits that may be extracted: whole, at least 0."""
        return max(0, math.floor(self.signed_length))


def winning_chance(chsh: ArrayLike) -> Floats:
    """How often the CHSH game is won at a value S: ``1/2 + S/8``.

    Args:
        chsh: S, shape ``(...)``, in [-2√2, 2√2].

    Returns:
        Shape ``(...)``.

    Raises:
        QuantityError: no quantum value.

    Examples:
        >>> round(float(winning_chance(2.677)), 6)
        0.834625
    """
    return np.asarray(0.5 + check_range(chsh, -TSIRELSON - 1e-9, TSIRELSON + 1e-9, "chsh") / 8.0)


def certified_entropy(win: ArrayLike) -> Floats:
    """Entropy (bit) of one outcome to anybody else, at this winning chance.

    Equation: ``1 - h(1/2 + sqrt(16 ω (ω - 1) + 3)/2)`` for ω between 3/4 and (2 + √2)/4, 0 below (Acín 2007, in terms of ω).

    Args:
        win: ω, shape ``(...)``, in [0, (2 + √2)/4].

    Returns:
        Shape ``(...)``, in [0, 1].

    Raises:
        QuantityError: a chance that no quantum state reaches.

    Examples:
        >>> round(float(certified_entropy(winning_chance(2.677))), 4)
        0.6921
    """
    w = check_range(win, 0.0, (2.0 + math.sqrt(2.0)) / 4.0 + 1e-9, "win")
    bias = np.sqrt(np.clip(16.0 * w * (w - 1.0) + 3.0, 0.0, 1.0))
    return np.where(w > 0.75, 1.0 - binary_entropy((1.0 + bias) / 2.0), 0.0)


def accumulated_key(
    rounds: float,
    test_fraction: float,
    threshold: float,
    error: float,
    security: Security,
    inefficiency: float = 1.1,
) -> AccumulatedKey:
    """Key length of a block of CHSH-based key distribution.

    Equation: ``H >= n g(ω) - n (α-1) (ln 2/2) V² - log2(2/(ε_s² p²))/(α-1) - n (α-1)² K(α)``, ``V = sqrt(Var + 2) + log2 9``, for
    the tangent g of `certified_entropy` spread over rounds of which a share γ is tested, ``Var <= (max g - min g)²/γ``; the best α
    and tangent point are searched. Then ``l = H - leak - 2 log2(1/ε_pa) - log2(2/ε_cor)`` with ``leak = n f [(1-γ) h(Q) + γ h(ω)]``.

    Args:
        rounds: n, at least 1.
        test_fraction: γ, in (0, 1).
        threshold: S below which the block is thrown away: what is certified. Choose it some deviations below what is expected.
        error: Q of the key rounds, in [0, 0.5].
        security: ε_sec (shared equally by smoothing, amplification and the chance p of being accepted) and ε_cor.
        inefficiency: f, at least 1.

    Returns:
        The key with its parts.

    Raises:
        QuantityError: an argument outside its domain.

    Limits:
        An estimate, see the module. The tested outcomes are sent inside the error-correction data.

    Examples:
        >>> key = accumulated_key(1e8, 0.05, 2.677, 0.0144, Security(1e-10, 1e-15))
        >>> 0.6 < key.length / key.asymptotic < 1.0, key.ledger.secrecy
        (True, 1e-10)
    """
    n = check_range(rounds, 1.0, math.inf, "rounds").item()
    if not 0.0 < test_fraction < 1.0:
        raise QuantityError(
            found=f"{test_fraction:g}", expected="a fraction in (0, 1)", where="test_fraction"
        )
    check_range(error, 0.0, 0.5, "error")
    check_range(inefficiency, 1.0, math.inf, "inefficiency")
    win = float(winning_chance(threshold))
    third = security.secrecy / 3.0
    top = (2.0 + math.sqrt(2.0)) / 4.0

    def entropy(tangent: float) -> float:
        return _accumulated(n, test_fraction, win, tangent, third)

    best = golden(entropy, 0.7501, min(top - 1e-6, 0.8535), 1e-6) if win > 0.75 else 0.76
    total = min(entropy(best), n)
    leak = (
        n
        * inefficiency
        * float((1.0 - test_fraction) * binary_entropy(error) + test_fraction * binary_entropy(min(win, 1.0)))
    )
    length = total - leak - 2.0 * math.log2(1.0 / third) - math.log2(2.0 / security.correctness)
    ledger = Ledger(
        estimation=2.0 * third,
        verification=security.correctness,
        amplification=third,
        authentication=security.authentication,
    )
    return AccumulatedKey(length, total, leak, n * float(certified_entropy(win)) - leak, ledger)


def _accumulated(n: float, gamma: float, win: float, tangent: float, epsilon: float) -> float:
    """The entropy bound for one tangent point, at its best α."""
    slope = _slope(tangent)
    height = float(certified_entropy(tangent))
    certified = height + slope * (win - tangent)
    # the affine function over a tested round, from losing surely to winning surely
    least, most = height - slope * tangent, height + slope * (1.0 - tangent)
    spread = most - least
    v = math.sqrt(spread**2 / gamma + 2.0) + math.log2(9.0)
    width = 2.0 + most - least  # 2 log2 d_A + Max f - Min f over achievable rounds
    budget = math.log2(2.0) + 4.0 * math.log2(1.0 / epsilon)  # smoothing and acceptance, both squared

    def at(log_step: float) -> float:
        step = math.exp(log_step)
        third = 2.0 ** (step * width) * math.log(2.0**width + math.e**2) ** 3
        third /= 6.0 * (1.0 - step) ** 3 * math.log(2.0)
        loss = step * math.log(2.0) / 2.0 * v * v + step * step * third
        return float(n * (certified - loss) - budget / step)

    return at(golden(at, math.log(1e-12), math.log(0.5), 1e-6))


def _slope(win: float) -> float:
    """Derivative of `certified_entropy`."""
    bias = math.sqrt(16.0 * win * (win - 1.0) + 3.0)
    guess = (1.0 + bias) / 2.0
    return math.log2(guess / (1.0 - guess)) * (8.0 * (2.0 * win - 1.0) / bias) / 2.0
