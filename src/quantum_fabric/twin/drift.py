"""Links that wander out of alignment, and calibrations that bring them back.

The conditions of a link are held for a step and then moved by random draws of the link's own streams, one for each purpose. Attempts
are independent and identically distributed while conditions hold, and memoryless, so the lanes draw anew at each step
(`quantum_fabric.twin.lanes.Lane.renew`): for piecewise constant conditions the run is exact.

An attempt belongs to the conditions under which it started. One that is on its way when they change keeps its outcome: its
light is in the fibre already, and an attempt lasts for a minute fraction of a step.

Nobody but watchers is told of any of this (`quantum_fabric.messages.Drifted`). Deciders see what a real network would show them:
heralds that come slower, pairs that are worse, and a link that is silent while somebody calibrates it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Final

from quantum_fabric.errors import ProtocolError
from quantum_fabric.kernel.clock import Clock
from quantum_fabric.kernel.order import Priority, ranked
from quantum_fabric.kernel.streams import Stream, Streams
from quantum_fabric.links.conditions import Conditions
from quantum_fabric.links.upkeep import EXACT, NO_UPKEEP, Upkeep
from quantum_fabric.messages import Calibrated, Drifted, Event
from quantum_fabric.physics.drift import Rotation, angle_of, pointing_loss, turned, walked, worn
from quantum_fabric.twin.lanes import TwinLink
from quantum_fabric.units import Time, seconds

NORMAL: Final = NormalDist()
DARK: Final = 100.0
"""Loss in dB beyond which nothing changes: the mode is five radii off, and what still arrives is light of other ways."""

STRAIGHT: Final[Rotation] = (1.0, 0.0, 0.0, 0.0)


class Alignment:
    """Where the alignment of one link is on its way.

    Args:
        name: of the link; its streams are called after it.
        upkeep: how it drifts.
        streams: of the run.

    Examples:
        >>> from quantum_fabric.physics.drift import Magnitudes
        >>> link = Alignment("A~B", Upkeep(Magnitudes(detectors=0.1)), Streams(1))
        >>> link.wander(1.0)
        >>> round(link.conditions.detectors, 6)
        0.904837
        >>> link.calibrate()
        >>> link.conditions
        Conditions(phase=0.0, polarisation=(0.0, 0.0), loss=(0.0, 0.0), detectors=1.0)
    """

    __slots__ = ("_efficiency", "_offsets", "_phase", "_residual", "_rotations", "_streams", "_wander")

    def __init__(self, name: str, upkeep: Upkeep, streams: Streams) -> None:
        self._wander = upkeep.wander
        self._residual = upkeep.calibrations.residual if upkeep.calibrations else EXACT
        self._streams = {
            purpose: streams.stream(f"{name}/drift/{purpose}")
            for purpose in ("phase", "polarisation a", "polarisation b", "pointing a", "pointing b")
        }
        self.calibrate()

    def calibrate(self) -> None:
        """Start again from what a calibration leaves."""
        self._phase, self._efficiency = 0.0, 1.0
        self._rotations, self._offsets = [STRAIGHT, STRAIGHT], [(0.0, 0.0), (0.0, 0.0)]
        left = self._residual
        both = ((left.polarisation, left.polarisation), (left.pointing, left.pointing))
        self._move(left.phase, *both, time=1.0)

    def wander(self, time: float) -> None:
        """Go on for some seconds."""
        rates = self._wander
        self._efficiency *= worn(rates.detectors, time)
        self._move(rates.phase, rates.polarisation, rates.pointing, time)

    def _move(
        self, phase: float, polarisation: tuple[float, float], pointing: tuple[float, float], time: float
    ) -> None:
        """One step of every walk; a walk that stands still draws nothing."""
        if phase:
            self._phase = walked(self._phase, phase, time, _normal(self._streams["phase"]))
        for arm, end in enumerate("ab"):
            if polarisation[arm]:
                stream = self._streams[f"polarisation {end}"]
                draws = (_normal(stream), _normal(stream), _normal(stream))
                self._rotations[arm] = turned(self._rotations[arm], polarisation[arm], time, draws)
            if pointing[arm]:
                stream, (x, y) = self._streams[f"pointing {end}"], self._offsets[arm]
                x = walked(x, pointing[arm], time, _normal(stream))
                self._offsets[arm] = (x, walked(y, pointing[arm], time, _normal(stream)))

    @property
    def conditions(self) -> Conditions:
        """What the link is like now."""
        first, second = self._rotations
        here, there = self._offsets
        return Conditions(
            phase=self._phase,
            polarisation=(angle_of(first), angle_of(second)),
            loss=(min(pointing_loss(here), DARK), min(pointing_loss(there), DARK)),
            detectors=self._efficiency,
        )


def _normal(stream: Stream) -> float:
    """A standard normal draw by inversion: one uniform draw each, so the number of the draw says which it is."""
    return NORMAL.inv_cdf(stream.uniform())


class _Course:
    """One link on its way: its alignment, since when, and the calibration that is going on."""

    __slots__ = ("alignment", "link", "rank", "reached", "spoiled", "upkeep")

    def __init__(self, link: TwinLink, streams: Streams) -> None:
        self.link = link
        self.upkeep = link.upkeep
        self.rank = ranked(Priority.FAULT, link.rank)
        self.alignment = Alignment(link.name, link.upkeep, streams) if link.upkeep.moves else None
        self.reached: Time = 0  # up to when its alignment has wandered
        self.spoiled = False


class Drifts:
    """Lets links drift and calibrates them.

    Args:
        links: all links of the plant; those without upkeep cost nothing.
        clock: the run's clock.
        streams: the run's random streams.
        emit: called with (node, event) where and when an event happens.
        reveal: called with what watchers may see.
    """

    def __init__(
        self,
        links: Sequence[TwinLink],
        clock: Clock,
        streams: Streams,
        emit: Callable[[str, Event], None],
        reveal: Callable[[Drifted], None],
    ) -> None:
        self._clock = clock
        self._emit = emit
        self._reveal = reveal
        self._courses = {link.name: _Course(link, streams) for link in links if link.upkeep != NO_UPKEEP}
        for course in self._courses.values():
            self._begin(course)

    def _begin(self, course: _Course) -> None:
        """A run begins right after a calibration."""
        if course.alignment is not None:
            course.link.drift(course.alignment.conditions, self._clock.now)
            course.reached = self._clock.now
        if course.upkeep.step is not None:
            self._clock.schedule(self._clock.now + course.upkeep.step, course.rank, self._step, course)
        plan = course.upkeep.calibrations
        if plan is not None and plan.every is not None:
            first = plan.every if plan.first is None else plan.first
            self._clock.schedule(self._clock.now + first, course.rank, self._due, course)

    def _step(self, course: _Course) -> None:
        assert course.upkeep.step is not None
        self._clock.schedule(self._clock.now + course.upkeep.step, course.rank, self._step, course)
        self._wander(course)

    def _wander(self, course: _Course) -> None:
        now = self._clock.now
        if course.alignment is not None and now > course.reached:
            course.alignment.wander(seconds(now - course.reached))
            self._changed(course, now)

    def _changed(self, course: _Course, now: Time) -> None:
        assert course.alignment is not None
        course.reached = now
        here = course.alignment.conditions
        course.link.drift(here, now)
        self._reveal(Drifted(course.link.name, here.phase, here.polarisation, here.loss, here.detectors, now))

    # --------------------------------------------------------------------------------------- calibration

    def _due(self, course: _Course) -> None:
        plan = course.upkeep.calibrations
        assert plan is not None
        assert plan.every is not None
        now = self._clock.now
        self._clock.schedule(now + plan.every, course.rank, self._due, course)
        self._start(course, now)

    def calibrate(self, link: TwinLink, now: Time) -> None:
        """Calibrate a link from now on; where that is being done already, once is enough.

        Raises:
            ProtocolError: nobody has said how long that takes.
        """
        course = self._courses.get(link.name)
        if course is None or course.upkeep.calibrations is None:
            raise ProtocolError(
                f"link {link.name} cannot be calibrated: its document does not say how long that takes"
            )
        self._start(course, now)

    def _start(self, course: _Course, now: Time) -> None:
        link, plan = course.link, course.upkeep.calibrations
        assert plan is not None
        if link.calibrating:
            return
        course.spoiled = not _lit(link)
        link.pause(now)
        self._clock.schedule(now + plan.takes, course.rank, self._done, course)

    def spoil(self, link: TwinLink) -> None:
        """The link went dark, or lost an end: a calibration that is going on comes to nothing."""
        course = self._courses.get(link.name)
        if course is not None:
            course.spoiled = True

    def _done(self, course: _Course) -> None:
        link, now = course.link, self._clock.now
        good = not course.spoiled and _lit(link)
        if course.alignment is not None:
            if good:
                course.alignment.calibrate()
                self._changed(course, now)
            else:
                self._wander(course)
        link.resume(now)
        for node in link.ends:
            if node.alive:
                self._emit(node.name, Calibrated(node.name, link.name, good))


def _lit(link: TwinLink) -> bool:
    """Whether light gets through, which a calibration needs."""
    return link.up and all(node.alive for node in link.ends)
