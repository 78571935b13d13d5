"""What a data sheet says of a single-photon detector."""

# ruff: noqa: RUF009 - `quantity` and `choice` return dataclass fields, which ruff cannot see.

from __future__ import annotations

import math
from dataclasses import dataclass

from quantum_fabric.devices.quantities import check, choice, quantity
from quantum_fabric.errors import Caution, QuantityError
from quantum_fabric.physics.optics import detection
from quantum_fabric.units import NS, SECOND, Time, show


@dataclass(frozen=True, slots=True)
class Detector:
    """Single-photon detector; all detectors of a station, or of one end of a link, are alike.

    Attributes:
        efficiency: system detection efficiency, station optics included.
        dark_rate: dark counts per s of one detector.
        window: ps during which a click counts for one optical mode.
        number_resolving: True tells one photon from two.
        jitter: full width at half maximum of the time of a click, s.
        dead_time: s after a click during which there is no other.
        dead_time_model: ``non_paralysable``, or ``paralysable`` where a lost photon starts the dead time anew.
        recovery: s, time constant with which the efficiency comes back after the dead time (nanowires).
        afterpulse: mean number of false clicks that a click leaves behind in traps, were the detector live at once.
        afterpulse_decay: s, life of the traps.
        max_rate: clicks per s at which the detector or its counter saturates.
        double_click: ``random`` or ``discard``: what an end with two detectors does when both click.
        ageing: share of its efficiency that it loses per s until somebody calibrates it (bias, temperature, alignment).

    Raises:
        QuantityError: outside the domain; recovery of a paralysable detector.

    Limits:
        Dead time, afterpulses and saturation act through mean rates (`live_fraction`): clicks of one window do not depend on those of
        another, and a photon that follows its own predecessor within the dead time counts as any other.

    Examples:
        >>> round(Detector(efficiency=0.9, dark_rate=100.0, window=10_000).dark_probability, 12)
        1e-06
        >>> round(1e6 * Detector(dead_time=40e-9).live_fraction(1e6), 4)
        961538.4615
    """

    efficiency: float = quantity(
        "fraction", 0.0, 1.0, "system detection efficiency", default=1.0, open_low=True
    )
    dark_rate: float = quantity("frequency", 0.0, math.inf, "dark counts of one detector", default=0.0)
    window: Time = quantity("duration", 0.0, math.inf, "detection window", default=10 * NS, open_low=True)
    number_resolving: bool = quantity("flag", 0, 1, "tells one photon from two", default=False)
    jitter: float = quantity(
        "time",
        0.0,
        math.inf,
        "full width at half maximum of the time of a click",
        default=0.0,
        open_high=True,
    )
    dead_time: float = quantity("time", 0.0, math.inf, "blind after a click", default=0.0, open_high=True)
    dead_time_model: str = choice(
        detection.MODELS, "what a photon does that falls into the dead time", default="non_paralysable"
    )
    recovery: float = quantity(
        "time", 0.0, math.inf, "time constant of the gradual recovery", default=0.0, open_high=True
    )
    afterpulse: float = quantity(
        "fraction", 0.0, 1.0, "false clicks that a click leaves in traps", default=0.0, open_high=True
    )
    afterpulse_decay: float = quantity(
        "time", 0.0, math.inf, "life of the traps", default=0.0, open_high=True
    )
    max_rate: float = quantity(
        "frequency", 0.0, math.inf, "clicks per s at saturation", default=math.inf, open_low=True
    )
    double_click: str = choice(
        ("random", "discard"), "what an end does when both detectors click", default="random"
    )
    ageing: float = quantity(
        "drift", 0.0, math.inf, "share of the efficiency lost per time", default=0.0, open_high=True
    )

    def __post_init__(self) -> None:
        """Refuse values outside their domain."""
        check(self)
        if self.recovery > 0.0 and self.dead_time_model == "paralysable":
            raise QuantityError(show(self.recovery, "time"), "0 s for a paralysable detector", "recovery")

    @property
    def dark_probability(self) -> float:
        """Probability of at least one dark count of one detector in one window: 1 - exp(-rate x window)."""
        return self.click_probability(0.0)

    @property
    def in_window(self) -> float:
        """Share of the clicks of a photon that fall into the window in spite of jitter: erf(w/(2√2 σ)).

        Examples:
            >>> Detector().in_window, round(Detector(window=100, jitter=100e-12).in_window, 6)
            (1.0, 0.760968)
        """
        if self.jitter == 0.0:
            return 1.0
        sigma = self.jitter / detection.FWHM
        return float(detection.in_window(self.window / SECOND, sigma))

    @property
    def afterpulse_share(self) -> float:
        """Mean number of afterpulses of a click that come when the detector is live again: p e^(-τ/τ_ap).

        Examples:
            >>> round(Detector(afterpulse=0.1, afterpulse_decay=5e-6, dead_time=10e-6).afterpulse_share, 6)
            0.013534
        """
        if self.afterpulse == 0.0:
            return 0.0
        return float(detection.afterpulses(self.afterpulse, self.afterpulse_decay, self.dead_time))

    def observed_rate(self, rate: float) -> float:
        """Clicks per s that come out, afterpulses included.

        Args:
            rate: clicks per s of the same detector without dead time, afterpulses and saturation: detected photons and
                dark counts, at least 0.

        Examples:
            >>> round(Detector(dead_time=40e-9, dead_time_model="paralysable").observed_rate(1e6), 4)
            960789.4392
            >>> Detector(max_rate=1e5).observed_rate(1e6)
            100000.0
        """
        if self.recovery == 0.0 and self.afterpulse == 0.0:
            # the common case in closed form: links ask so often that arrays for one number would be felt
            busy = rate * self.dead_time
            live = math.exp(-busy) if self.dead_time_model == "paralysable" else 1.0 / (1.0 + busy)
            return min(rate * live, self.max_rate)
        return float(
            detection.click_rate(
                rate,
                self.dead_time,
                self.dead_time_model,
                self.recovery,
                self.afterpulse,
                self.afterpulse_decay,
                self.max_rate,
            )
        )

    def live_fraction(self, rate: float) -> float:
        """Share of would-be clicks that the detector registers, in a stream with a mean rate.

        Args:
            rate: clicks per s without dead time, afterpulses and saturation (photons and dark counts), at least 0.

        Returns:
            observed clicks over would-be clicks, the afterpulses counted on both sides; in (0, 1].

        Examples:
            >>> Detector().live_fraction(1e9), Detector(max_rate=1e5).live_fraction(1e6)
            (1.0, 0.1)
        """
        if rate == 0.0:
            return 1.0
        seen = self.observed_rate(rate)
        return min(1.0, seen / (rate + self.afterpulse_share * seen))

    def false_rate(self, rate: float, noise: float = 0.0) -> float:
        """False clicks per s of one detector that are registered: dark counts, noise and afterpulses.

        Args:
            rate: all clicks per s without dead time, afterpulses and saturation, the false ones included, at least 0.
            noise: detected noise photons per s besides the dark counts, at least 0.

        Examples:
            >>> Detector(dark_rate=100.0).false_rate(1e4, noise=50.0)
            150.0
            >>> round(Detector(dark_rate=100.0, afterpulse=0.02, afterpulse_decay=1e-6).false_rate(1e4), 3)
            304.082
        """
        again = self.afterpulse_share * self.observed_rate(rate)
        return self.live_fraction(rate) * (self.dark_rate + noise + again)

    def click_probability(self, noise_rate: float) -> float:
        """Probability of at least one false click of one detector in one window, when few photons come.

        Args:
            noise_rate: detected noise photons per s on this detector besides its dark counts, at least 0.

        Returns:
            1 - exp(-rate x window) with the `false_rate` of dark counts and noise alone; afterpulses of photons are left out.

        Examples:
            >>> round(Detector(dark_rate=10.0, window=10_000).click_probability(90.0), 12)
            1e-06
        """
        background = self.dark_rate + noise_rate
        return -math.expm1(-self.false_rate(background, noise_rate) * self.window / SECOND)

    def seen(self, background: float) -> float:
        """Probability that an arriving photon makes a click inside the window, amid a background.

        Args:
            background: false clicks per s on this detector (dark counts and detected noise), at least 0.

        Returns:
            efficiency x share in the window x live fraction.

        Examples:
            >>> Detector(efficiency=0.9).seen(1e6)
            0.9
        """
        return self.efficiency * self.in_window * self.live_fraction(background)

    def cautions(self, rate: float, where: str = "detector") -> tuple[Caution, ...]:
        """Say where mean rates no longer describe the detector.

        Args:
            rate: clicks per s without dead time, afterpulses and saturation.
            where: which detector.

        Examples:
            >>> [caution.limit for caution in Detector(max_rate=1e5).cautions(1.5e5)]
            ['at most 100 kHz']
        """
        found = []
        if rate > self.max_rate:
            effect = "the detector saturates; its efficiency and dark counts at saturation are not modelled"
            found.append(
                Caution(where, show(rate, "frequency"), f"at most {show(self.max_rate, 'frequency')}", effect)
            )
        if self.live_fraction(rate) < 0.5:
            effect = "clicks close to each other are no longer independent"
            found.append(
                Caution(where, f"live {self.live_fraction(rate):.0%} of the time", "at least 50 %", effect)
            )
        return tuple(found)
