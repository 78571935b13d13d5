"""What a data sheet says of an optical switch and of a coupler."""

# ruff: noqa: RUF009 - `quantity` returns a dataclass field, which ruff cannot see.

from __future__ import annotations

import math
from dataclasses import dataclass

from quantum_fabric.devices.quantities import check, quantity
from quantum_fabric.errors import QuantityError
from quantum_fabric.units import MS, Time


@dataclass(frozen=True, slots=True)
class Switch:
    """An optical switch that connects fibres; one stands in a path as extra loss.

    Attributes:
        insertion_loss: dB of one passage.
        crosstalk: dB by which the light of another port is weaker than on its own way; larger is better.
        switching_time: ps during which a path that changes carries nothing.
        ports: fibres on one side, at least 1.

    Raises:
        QuantityError: outside the domain.

    Equation:
        A path through n switches loses n x insertion_loss on top of its fibre; noise += others · 10^(−crosstalk/10).

    Limits:
        All paths are alike; polarisation-dependent loss is left out.

    Examples:
        >>> switch = Switch(insertion_loss=1.0, crosstalk=50.0)
        >>> switch.loss(2), round(switch.leak(1e6), 6)
        (2.0, 10.0)
    """

    insertion_loss: float = quantity("loss", 0.0, math.inf, "loss of one passage", open_high=True)
    crosstalk: float = quantity(
        "loss", 0.0, math.inf, "isolation from the light of another port", default=math.inf
    )
    switching_time: Time = quantity(
        "duration", 0.0, math.inf, "time to change a path", default=10 * MS, open_high=True
    )
    ports: int = quantity("count", 1, math.inf, "fibres on one side", default=2)

    def __post_init__(self) -> None:
        """Refuse values outside their domain."""
        check(self)

    def loss(self, passages: int = 1) -> float:
        """Extra loss of a path in dB: passages x insertion loss.

        Args:
            passages: switches on the path, at least 0.

        Raises:
            QuantityError: a negative number.
        """
        if passages < 0:
            raise QuantityError(str(passages), "at least 0", "passages")
        return passages * self.insertion_loss

    def leak(self, photons: float) -> float:
        """Photons per s that another port's light leaves in a path.

        Args:
            photons: per s on the other path, at least 0.

        Raises:
            QuantityError: a negative number.

        Examples:
            >>> Switch(insertion_loss=1.0).leak(1e9)  # perfect isolation
            0.0
        """
        if not photons >= 0.0:
            raise QuantityError(f"{photons:g}", "at least 0", "photons")
        return photons * float(10.0 ** (-self.crosstalk / 10.0))


@dataclass(frozen=True, slots=True)
class Coupler:
    """A fibre coupler (beam splitter) that splits one path in two.

    Attributes:
        splitting: share of the light that goes to the first output, of what is not lost.
        excess_loss: dB that reach neither output.

    Raises:
        QuantityError: outside the domain.

    Equation:
        T1 = splitting · 10^(−excess/10), T2 = (1 − splitting) · 10^(−excess/10).

    Limits:
        The same splitting at all wavelengths and polarisations.

    Examples:
        >>> half = Coupler()
        >>> [round(half.loss(output), 4) for output in (1, 2)]
        [3.0103, 3.0103]
    """

    splitting: float = quantity("fraction", 0.0, 1.0, "share of the first output", default=0.5)
    excess_loss: float = quantity(
        "loss", 0.0, math.inf, "loss to neither output", default=0.0, open_high=True
    )

    def __post_init__(self) -> None:
        """Refuse values outside their domain."""
        check(self)

    def transmission(self, output: int = 1) -> float:
        """Share of the light at output 1 or 2.

        Args:
            output: 1 or 2.

        Raises:
            QuantityError: another output.

        Examples:
            >>> Coupler(splitting=0.99).transmission(1)
            0.99
        """
        if output not in (1, 2):
            raise QuantityError(str(output), "1 or 2", "output")
        share = self.splitting if output == 1 else 1.0 - self.splitting
        return share * float(10.0 ** (-self.excess_loss / 10.0))

    def loss(self, output: int = 1) -> float:
        """Extra loss in dB on the way to an output; infinite where nothing goes.

        Args:
            output: 1 or 2.

        Raises:
            QuantityError: another output.
        """
        share = self.transmission(output)
        return -10.0 * math.log10(share) if share > 0.0 else math.inf
