"""Entanglement generation on one lane of a link, with failed attempts jumped over.

A lane is a pair of memory slots, one at each end of a link. It attempts on a grid of the link's period while both slots are
armed. Attempts are independent and identically distributed between two events that change them (arming, a cut, a restored
fibre, a step of a drift, a calibration), so the number of the successful attempt is geometric and the failures before it need
no events: that jump is exact.
"""

from __future__ import annotations

from collections.abc import Callable

from quantum_fabric.errors import ProtocolError
from quantum_fabric.kernel.clock import Clock, Handle
from quantum_fabric.kernel.order import Priority, ranked
from quantum_fabric.kernel.streams import Streams
from quantum_fabric.links.conditions import ALIGNED, Conditions
from quantum_fabric.links.model import Heralding, LinkModel
from quantum_fabric.links.upkeep import NO_UPKEEP, Upkeep
from quantum_fabric.messages import Bell, Event, Heralded
from quantum_fabric.physics.attempts import Attempts
from quantum_fabric.twin.bell_diagonal import BellDiagonal
from quantum_fabric.twin.hubs import Hub
from quantum_fabric.twin.qubits import Half, Slot, TwinNode
from quantum_fabric.twin.states import Representation
from quantum_fabric.units import Time

NEVER: Time = -(1 << 62)
"""Start of the last attempt on a lane that has made none."""


class TwinLink:
    """A link as it truly is.

    Attributes:
        name: the link's name.
        ends: its two nodes, in the order that ``model`` calls a and b.
        model: the heralded link as its data sheets say; asked once for each setting and number of lanes, while conditions hold.
        light_time: time of light from end to end, ps.
        up: False while the fibre is cut.
        rank: place of the link in the network; orders simultaneous heralds.
        states: how the states of its pairs are kept.
        upkeep: how it drifts and is calibrated.
        calibrating: True while it attempts nothing because somebody calibrates it.
        station: that heralds it, where it shares one with other links.
    """

    __slots__ = (
        "_conditions", "_heraldings", "_present", "calibrating", "ends", "lanes", "light_time", "model", "name", "rank", "states",
        "station", "up", "upkeep",
    )  # fmt: skip

    def __init__(
        self, name: str, a: TwinNode, b: TwinNode, model: LinkModel, light_time: Time, rank: int,
        states: Representation = BellDiagonal, upkeep: Upkeep = NO_UPKEEP, station: Hub | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self.station = station
        self.ends = (a, b)
        self.model = model
        self.light_time = light_time
        self.rank = rank
        self.states = states
        self.up = True
        self.upkeep = upkeep
        self.calibrating = False
        self._conditions = ALIGNED
        self._present: LinkModel | None = model
        self.lanes: dict[int, Lane] = {}
        self._heraldings: dict[tuple[float | None, int], OperatingPoint] = {}

    def operating_point(self, setting: float | None, lanes: int) -> OperatingPoint:
        """What a lane needs to know at this setting, worked out once."""
        key = (setting, lanes)
        found = self._heraldings.get(key)
        if found is None:
            if self._present is None:  # worked out when somebody attempts, not at each step of an idle link
                self._present = self.model.under(self._conditions)
            heralding = self._present.heralding(setting, lanes)
            found = self._heraldings[key] = OperatingPoint(heralding, self.states, key)
        return found

    def drift(self, conditions: Conditions, now: Time) -> None:
        """Conditions are these from now on."""
        self._conditions = conditions
        self._present = self.model if conditions == ALIGNED else None
        self._heraldings.clear()
        for lane in self.lanes.values():
            lane.renew(now)

    def pause(self, now: Time) -> None:
        """No attempt starts from now on; those on their way go on."""
        self.calibrating = True
        for lane in self.lanes.values():
            lane.pause(now)

    def resume(self, now: Time) -> None:
        """Attempts start again."""
        self.calibrating = False
        for lane in self.lanes.values():
            lane.resume(now)


class OperatingPoint:
    """A `Heralding` prepared for the event path: sums and states computed once."""

    __slots__ = ("born", "cumulative", "cycle", "fresh", "heard", "key", "labels", "period", "success")

    def __init__(
        self, heralding: Heralding, states: Representation, key: tuple[float | None, int] = (None, 1)
    ) -> None:
        self.key = key  # setting and lanes that it was asked for
        self.period = heralding.period
        self.cycle = heralding.cycle
        self.born = heralding.born
        self.heard = heralding.heard
        self.labels = [Bell(outcome.bell) for outcome in heralding.outcomes]
        self.fresh = [states.prepare(outcome) for outcome in heralding.outcomes]
        total = 0.0
        self.cumulative = []
        for outcome in heralding.outcomes:
            total += outcome.probability
            self.cumulative.append(total)
        self.success = total


class Lane:
    """One lane of a link: idle, half armed, attempting, or with a herald on its way.

    Attributes:
        link, number: which lane.
        arms: the slot that each end has armed, or None.
        heralds: successes so far; names the elementary pairs.
    """

    __slots__ = (
        "_armed_at", "_attempts", "_clock", "_emit", "_opened", "_outcomes", "_pending", "_point", "_rank", "_start", "_stream",
        "_trying", "arms", "heralds", "link", "number",
    )  # fmt: skip

    def __init__(
        self, link: TwinLink, number: int, clock: Clock, streams: Streams, emit: Callable[[str, Event], None]
    ) -> None:
        self.link = link
        self.number = number
        self.arms: list[Slot | None] = [None, None]
        self.heralds = 0
        self._armed_at: list[Time] = [0, 0]
        self._clock = clock
        self._emit = emit
        self._stream = streams.stream(f"{link.name}/{number}/attempts")
        self._outcomes = streams.stream(f"{link.name}/{number}/outcomes")
        self._rank = ranked(Priority.HERALD, (link.rank << 12) + number)
        self._pending: Handle | None = None
        self._start: Time = NEVER
        self._opened: Time = NEVER  # no attempt that is drawn from now on started before
        self._attempts: Attempts | None = None  # kept where they disturb what an end has stored
        for end, node in enumerate(link.ends):
            if node.memory.attempt_dephasing > 0.0:
                self._attempts = self._attempts or Attempts()
                node.lanes.append((self._attempts, end))
        self._point: OperatingPoint  # that the last end to be armed asked for
        self._trying: OperatingPoint  # of the attempt that is pending

    def arm(self, end: int, slot: Slot, point: OperatingPoint, now: Time) -> None:
        """One end tries from now on; attempts count once the other does too.

        Raises:
            ProtocolError: this end is armed already.
        """
        if self.arms[end] is not None:
            raise ProtocolError(
                f"lane {self.number} of link {self.link.name} is armed at {slot.node.name} already"
            )
        self.arms[end] = slot
        self._armed_at[end] = now
        self._point = point
        slot.lane = self
        self._restart()

    def disarm(self, end: int, now: Time) -> None:
        """One end stops trying. An attempt whose photon it has already sent may still herald at the other end."""
        slot = self.arms[end]
        if slot is None:
            return
        self.arms[end] = slot.lane = None
        if self._pending is not None and now < self._start + self._trying.born[end]:
            self._stop(now)

    def darken(self, now: Time) -> None:
        """The fibre is cut: an attempt that nobody has heard of yet comes to nothing."""
        self._stop(now)

    def lighten(self, now: Time) -> None:
        """The fibre is back: attempts start afresh (they are memoryless)."""
        self._armed_at = [max(at, now) for at in self._armed_at]
        self._restart()

    def renew(self, now: Time) -> None:
        """Conditions have changed: attempts that start after now are drawn anew; one that has started keeps its outcome."""
        if self.arms == [None, None]:
            return  # whoever arms next asks for a new point
        self._point = self.link.operating_point(*self._point.key)
        self.pause(now)
        if self._pending is None:
            self._opened = now
            self._restart()

    def pause(self, now: Time) -> None:
        """No attempt starts after now; one that has started goes on."""
        if self._start > now:
            self._stop(now)

    def resume(self, now: Time) -> None:
        """Attempts start again, from now on."""
        self._opened = now
        self._restart()

    def _stop(self, now: Time) -> None:
        if self._pending is None:
            return
        self._clock.cancel(self._pending)
        self._pending = None
        ahead = self._start - now
        if ahead > 0:  # the success lay in the future: the last attempt that was made is the one before now
            self._start -= -(-ahead // self._trying.period) * self._trying.period
            if self._attempts is not None:
                self._attempts.stop(self._start)
        if self.link.station is not None:
            self.link.station.leave(self.link.name, self._start + min(self._trying.heard))

    def _restart(self) -> None:
        first, second = self.arms
        if first is None or second is None or not self.link.up or self._pending is not None:
            return
        point = self._point
        if point.success <= 0.0 or self.link.calibrating:
            return
        # the first attempt in which both ends emit after they were armed, on the lane's grid
        earliest = max(self._armed_at[0] - point.born[0], self._armed_at[1] - point.born[1])
        phase = self.number * point.cycle % point.period
        # never twice in one slot of the grid
        earliest = max(earliest, self._start + point.period, self._opened)
        number = -((phase - earliest) // point.period)
        if self.link.station is not None:
            self.link.station.engage(self.link.name, phase + number * point.period)
        self._start = phase + (number + self._stream.geometric(point.success) - 1) * point.period
        if self._attempts is not None:
            self._attempts.begin(phase + number * point.period, self._start, point.period, point.born)
        self._trying = point
        at = self._start + min(point.heard)
        self._pending = self._clock.schedule(at, self._rank, self._succeed)

    def _succeed(self, _: object) -> None:
        """The first end hears; the pair exists from now on in the twin's books."""
        self._pending = None
        if self.link.station is not None:
            self.link.station.leave(self.link.name, self._clock.now)
        point, start = self._trying, self._start
        index = self._outcomes.choose(point.cumulative) if len(point.cumulative) > 1 else 0
        name = f"{self.link.name}/{self.number}#{self.heralds}"
        self.heralds += 1
        halves = []
        lost = False
        for end in (0, 1):
            slot = self.arms[end]
            born = start + point.born[end]
            if slot is None or self._armed_at[end] > born:  # this end let go after it had sent its photon
                slot, lost = Slot(self.link.ends[end], -1), True
                half = Half(name, slot, born)
                half.slot = None
            else:
                half = Half(name, slot, born)
                slot.half = half
                slot.lane = None
                self.arms[end] = None
            halves.append(half)
        pair = self.link.states(halves[0], halves[1], int(point.labels[index]), point.fresh[index])
        if lost:
            for half in halves:
                if half.slot is None:
                    pair.spoil(half)
        self._restart()  # both ends may have let go and been armed anew
        label = point.labels[index]
        # both letters are written before either is read: what the first end does must not change the second's
        a, b = halves
        heard_a, heard_b = point.heard
        letter_a = self._letter(a, b, label)
        letter_b = self._letter(b, a, label)
        first, second, later, at = (
            (letter_a, letter_b, b, heard_b) if heard_a <= heard_b else (letter_b, letter_a, a, heard_a)
        )
        if second is not None:
            self._clock.schedule(start + at, self._rank, self._tell, (later, second))
        if first is not None:
            self._emit(first.node, first)

    def _letter(self, half: Half, other: Half, label: Bell) -> Heralded | None:
        slot = half.slot
        if slot is None:
            return None
        return Heralded(
            half.node.name, slot.number, self.link.name, half.elementary, label, half.since, other.since
        )

    def _tell(self, later: tuple[Half, Heralded]) -> None:
        half, news = later
        if half.slot is not None:  # else this end has itself discarded the attempt in the meantime
            self._emit(news.node, news)
