"""One run of a scenario: build the fabric, let it live, fold what happens. ``run`` and ``replay`` share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from quantum_fabric import __version__, documents
from quantum_fabric.cli import keying
from quantum_fabric.documents import Fault, FaultKind, NetworkDocument, Workload
from quantum_fabric.errors import Caution, InputError
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import Calibrate, Event, LinkChanged, NodeFailed, NodeRecovered, SlotsBroken
from quantum_fabric.ops.calibrations import Calibrations
from quantum_fabric.ops.journal import KEEPS, Header, JournalWriter
from quantum_fabric.ops.key_supply import KeySupply
from quantum_fabric.ops.losses import Losses
from quantum_fabric.ops.metrics import Metrics
from quantum_fabric.ops.requests import Histories
from quantum_fabric.policies import scheduling_of
from quantum_fabric.units import Time

if TYPE_CHECKING:
    from quantum_fabric.services.qkd.session import Hand

FAULTS: dict[FaultKind, Callable[[Fault], Event | Calibrate]] = {
    FaultKind.CUT: lambda fault: LinkChanged("", fault.target, up=False),
    FaultKind.RESTORE: lambda fault: LinkChanged("", fault.target, up=True),
    FaultKind.FAIL: lambda fault: NodeFailed(fault.target),
    FaultKind.RECOVER: lambda fault: NodeRecovered(fault.target),
    FaultKind.CALIBRATE: lambda fault: Calibrate("", fault.target),
    FaultKind.BREAK: lambda fault: SlotsBroken(fault.target, fault.slots),
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that a run depends on.

    Attributes:
        network, workload: sound documents that fit each other.
        seed: of every random stream.
        duration: how long the network lives, in ps; what would happen later is left out.
        until: stop there (a replay of a run that was interrupted); at the end where None.
    """

    network: NetworkDocument
    workload: Workload
    seed: int
    duration: Time
    until: Time | None = None

    def header(self, keeps: str) -> Header:
        """The first line of its journal."""
        papers = {"network": self.network.plain(), "workload": self.workload.plain()}
        return Header(__version__, self.seed, keeps, papers, {"duration_ps": self.duration})


def scenario(
    network: NetworkDocument, workload: Workload, seed: int, duration: Time | None = None
) -> Scenario:
    """Put a scenario together.

    Args:
        network: the network.
        workload: requests and faults; those after the end of the run are left out.
        seed: of every random stream, 0 or more.
        duration: in ps; as the workload says where None. A longer one gives Poisson streams more time.

    Raises:
        InputError: a duration or seed that makes no sense.
        DocumentError: a stream would make too many requests in a longer run.
    """
    if seed < 0:
        raise InputError(str(seed), "an integer of 0 or more", "seed")
    if duration is not None and duration <= 0:
        raise InputError(f"{duration} ps", "more than no time", "duration")
    if duration is not None and duration > workload.duration:
        workload = documents.workload_from({**workload.plain(), "duration": f"{duration} ps"}, workload.file)
    return Scenario(network, workload, seed, duration or workload.duration)


def scenario_of(header: Header, until: Time | None = None) -> Scenario:
    """The scenario that a journal was written from.

    Args:
        header: its first line.
        until: where its run stopped, if that was before the end.

    Raises:
        DocumentError: the documents in the journal are not sound.
        InputError: its options are not.
    """
    network = documents.network_from(header.documents["network"], "journal:network")
    workload = documents.workload_from(header.documents["workload"], "journal:workload")
    duration = header.options.get("duration_ps")
    if type(duration) is not int:
        raise InputError(repr(duration), "a duration in ps", "options.duration_ps")
    planned = scenario(network, workload, header.seed, duration)
    return replace(planned, until=until)


class Session:
    """A fabric with its workload scheduled and the folds watching.

    Args:
        scenario: what to run.
        hand: takes each key of its QKD sessions; None for nobody.

    Attributes:
        fabric: the network; its clock stands at 0.
        histories, metrics, losses, calibrations, supply: folds over what happened so far.
        keys: QKD sessions.
        requests: number of requests that were scheduled.
        reached: time at which the run stopped, in ps.
        interrupted: True where it stopped before its end.

    Raises:
        DocumentError: the workload does not fit the network.
    """

    def __init__(self, scenario: Scenario, hand: Hand | None = None) -> None:
        inventory = documents.inventory(scenario.network)
        documents.check_workload(scenario.workload, inventory)
        self.scenario = scenario
        self.fabric = Fabric(
            inventory, seed=scenario.seed, scheduling=scheduling_of(scenario.workload.policy)
        )
        self.histories, self.metrics, self.losses = Histories(), Metrics(), Losses()
        self.calibrations, self.supply = Calibrations(), KeySupply()
        self.reached: Time = 0
        self.interrupted = False
        self.requests = self._schedule()
        self.keys = keying.sessions(self.fabric, scenario.workload, scenario.duration, hand)
        self._journal: JournalWriter | None = None

    def _schedule(self) -> int:
        streams = self.fabric.streams
        arrivals = self.scenario.workload.arrivals(lambda name: streams.stream(f"workload/{name}").uniform)
        inside = [arrival for arrival in arrivals if arrival.at < self.scenario.duration]
        for arrival in inside:
            self.fabric.submit(arrival.request, arrival.at)
        for fault in self.scenario.workload.faults:
            if fault.at < self.scenario.duration:
                self.fabric.inject(FAULTS[fault.kind](fault), fault.at)
        return len(inside)

    @property
    def cautions(self) -> tuple[Caution, ...]:
        """Where models were used outside their validity, by the plans of its requests or by the run itself; each thing once."""
        plans = (history.plan for history in self.histories if history.plan is not None)
        said = [caution for plan in plans for caution in plan.cautions]
        said += keying.cautions(self.scenario.workload, self.fabric.inventory)
        return tuple(dict.fromkeys((*said, *self.fabric.cautions)))

    def journal(self, target: Any, header: Header) -> None:
        """Write a journal: to a path, or to a sink that compares. It sees every message before the folds do."""
        self._journal = JournalWriter(target, header)
        self.fabric.watch(self._journal, *KEEPS[header.keeps])

    def run(self, stop: Callable[[], bool]) -> None:
        """Let the network live until the end of the scenario, or until ``stop`` says so after an event.

        Whatever is open then is withdrawn, so that every request has its outcome, and the journal gets its last line.
        """
        for fold in (self.histories, self.metrics, self.losses, self.calibrations, self.supply):
            self.fabric.watch(fold, *fold.SEES)
        try:
            until = self.scenario.duration if self.scenario.until is None else self.scenario.until
            self.fabric.run(until, stop)
            self.interrupted = self.fabric.now < self.scenario.duration
            # the events of this very picosecond are done to the end, so that a replay can stop at the same place
            self.fabric.run(self.fabric.now)
            self.reached = self.fabric.now
            for keys in self.keys:
                keys.stop()
            for name in self.fabric.open_requests:
                if name in self.histories:
                    self.histories[name].unfinished = True
            self.fabric.finish()
        except BaseException:
            self.interrupted, self.reached = True, self.fabric.now
            raise
        finally:
            if self._journal is not None:
                self._journal.close(until=self.reached, interrupted=self.interrupted, cautions=self.cautions)
