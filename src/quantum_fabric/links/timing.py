"""When things happen in one attempt, and how lanes and modes share the channel.

Attempts are synchronised so that light meets where it has to; the earliest birth is time 0. A memory is busy from the
birth of its half until it has heard, so an attempt period is never shorter than that (physics: fibre latency
n_g L / c, herald round trip).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from quantum_fabric.errors import QuantityError
from quantum_fabric.links.model import HeraldOutcome
from quantum_fabric.units import Time


@dataclass(frozen=True, slots=True)
class Timetable:
    """Births and heralds of one attempt with one mode.

    Attributes:
        born: ps at which the half at a, at b, starts to age; the smaller one is 0.
        heard: ps at which end a, end b, hears.
    """

    born: tuple[Time, Time]
    heard: tuple[Time, Time]

    @property
    def busy(self) -> Time:
        """Longest time for which an end's memory is taken: the herald round trip.

        Examples:
            >>> Timetable(born=(0, 30), heard=(100, 70)).busy
            100
        """
        return max(heard - born for heard, born in zip(self.heard, self.born, strict=True))


def meet_in_the_middle(arm_a: Time, arm_b: Time) -> Timetable:
    """Photons leave both memories so that they meet at a station, which answers at once.

    The memory on the longer arm emits first, at 0; the station sees both at ``max(arm)`` and its answer needs the
    latency of each arm again. Hence the busy time 2 max(L_A, L_B)/v.

    Args:
        arm_a: latency from a to the station, ps, at least 0.
        arm_b: latency from b to the station, ps, at least 0.

    Examples:
        >>> meet_in_the_middle(50, 20)
        Timetable(born=(0, 30), heard=(100, 70))
    """
    station = max(arm_a, arm_b)
    return Timetable(born=(station - arm_a, station - arm_b), heard=(station + arm_a, station + arm_b))


def leave_the_middle(arm_a: Time, arm_b: Time) -> Timetable:
    """A source in the middle sends both photons; the ends tell each other which pulse they caught.

    A half is born when its photon arrives; an end hears when the news of the other end has come all the way
    (``arm_a + arm_b``). Time 0 is the first arrival.

    Args:
        arm_a: latency from the source to a, ps, at least 0.
        arm_b: latency from the source to b, ps, at least 0.

    Examples:
        >>> leave_the_middle(50, 20)
        Timetable(born=(30, 0), heard=(70, 100))
    """
    first = min(arm_a, arm_b)
    born = (arm_a - first, arm_b - first)
    across = arm_a + arm_b
    return Timetable(born=born, heard=(born[1] + across, born[0] + across))


def send_across(length: Time) -> Timetable:
    """The memory at a sends its photon through the whole fibre into the memory at b, which heralds its arrival.

    Args:
        length: latency from a to b, ps, at least 0.

    Examples:
        >>> send_across(70)
        Timetable(born=(0, 70), heard=(140, 70))
    """
    return Timetable(born=(0, length), heard=(2 * length, length))


@dataclass(frozen=True, slots=True)
class Schedule:
    """A timetable with modes and lanes: what a `Heralding` takes over.

    Attributes:
        period: ps between attempts on one lane.
        cycle: ps between the starts of neighbouring lanes.
        born: ps at which the half at a, at b, starts to age.
        heard: ps at which end a, end b, hears.
    """

    period: Time
    cycle: Time
    born: tuple[Time, Time]
    heard: tuple[Time, Time]


def schedule(table: Timetable, local_cycle: Time, modes: int, lanes: int, pulses: Time = 0) -> Schedule:
    """Fit ``modes`` time bins and ``lanes`` memories into one attempt period.

    An attempt emits its modes one local cycle after the other and ends when the herald of the last one is heard:
    period = max(lanes · modes · cycle, round trip + (modes − 1) · cycle + pulses).

    Args:
        table: births and heralds with one mode.
        local_cycle: ps that one mode of one lane takes on the channel, at least 1.
        modes: time bins of one attempt, at least 1.
        lanes: memories that take turns, at least 1.
        pulses: ps from the first to the last pulse of one mode, where a mode is a train of pulses.

    Raises:
        QuantityError: no lanes.

    Limits:
        With several modes a half counts as born with the first mode and the end as informed with the last one, so a pair
        looks older than it is by at most (modes − 1) cycles and one train of pulses. Preparation of the memory is part of
        ``local_cycle`` and hides behind the round trip when that is longer.

    Examples:
        >>> schedule(Timetable((0, 0), (100, 100)), local_cycle=10, modes=4, lanes=2)
        Schedule(period=130, cycle=40, born=(0, 0), heard=(130, 130))
    """
    require_lanes(lanes)
    last = (modes - 1) * local_cycle + pulses
    return Schedule(
        period=max(lanes * modes * local_cycle, table.busy + last),
        cycle=modes * local_cycle,
        born=table.born,
        heard=(table.heard[0] + last, table.heard[1] + last),
    )


def multiplexed(probability: float, modes: int) -> float:
    """Probability that at least one of several independent modes succeeds: p_M = 1 − (1−p)^M.

    Args:
        probability: of one mode, in [0, 1].
        modes: number of modes, at least 1.

    Examples:
        >>> round(multiplexed(0.1, 2), 12), multiplexed(1.0, 5)
        (0.19, 1.0)
    """
    if probability >= 1.0:
        return 1.0
    return -math.expm1(modes * math.log1p(-probability))


def with_modes(outcomes: tuple[HeraldOutcome, ...], modes: int) -> tuple[HeraldOutcome, ...]:
    """Heralds of a window of several modes: the first success counts, later ones in the window are dropped.

    Args:
        outcomes: heralds of one mode.
        modes: number of modes, at least 1.

    Examples:
        >>> single = (HeraldOutcome(0, 0.1, (1.0, 0.0, 0.0, 0.0)),)
        >>> round(with_modes(single, 2)[0].probability, 12)
        0.19
    """
    one = math.fsum(outcome.probability for outcome in outcomes)
    if modes == 1 or one == 0.0:
        return outcomes
    scale = multiplexed(one, modes) / one
    return tuple(replace(outcome, probability=outcome.probability * scale) for outcome in outcomes)


def require_lanes(lanes: int) -> None:
    """Refuse anything but a positive whole number of lanes.

    Raises:
        QuantityError: less than one lane.

    Examples:
        >>> require_lanes(0)
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.QuantityError: lanes: found 0, expected at least 1
    """
    if lanes < 1:
        raise QuantityError(str(lanes), "at least 1", "lanes")


def require_no_setting(setting: float | None, architecture: str) -> None:
    """Refuse a setting for a link that has no knob.

    Raises:
        QuantityError: there is a setting.

    Examples:
        >>> require_no_setting(None, "sender_receiver")
    """
    if setting is not None:
        raise QuantityError(str(setting), f"no setting: a {architecture} link has no knob", "setting")
