"""Whose slots are: installations and requests, as the entanglement table follows them."""

from __future__ import annotations

from quantum_fabric.control.entangled.pairs import WORTHLESS
from quantum_fabric.control.meaning import floor_of, gathers
from quantum_fabric.control.path_names import asked_as, is_path_of
from quantum_fabric.messages import (
    Ask,
    Correlators,
    CutoffRule,
    DeliverRule,
    GenerateRule,
    Kept,
    LinkRequest,
    Outcome,
    Prepare,
    Refused,
    Renegotiate,
    Renegotiated,
    Stretch,
)
from quantum_fabric.physics.fading import steady_rates
from quantum_fabric.physics.noise import MemoryNoise
from quantum_fabric.units import Time


class Installation:
    """What a `Prepare` says of one node, as far as the table needs it.

    Attributes:
        request, epoch: whose.
        calibration: believed noise of the node.
        rules: how pairs are made, by slot.
        cutoff: how long a half may wait here; None where nothing is cut off.
        asked: the request as it was asked for, where that is known.
    """

    def __init__(self, prepare: Prepare, request: LinkRequest | None) -> None:
        self.request, self.epoch = prepare.request, prepare.epoch
        self.calibration = prepare.calibration
        self.rules: dict[int, GenerateRule] = {}
        self.cutoff: Time | None = None
        self.asked = request
        delivers = False
        for rule in prepare.rules:
            if isinstance(rule, GenerateRule):
                self.rules.update(dict.fromkeys(rule.slots, rule))
            elif isinstance(rule, CutoffRule):
                self.cutoff = rule.age
            delivers = delivers or isinstance(rule, DeliverRule)
        if delivers:
            self.cutoff = None
        memory = MemoryNoise(self.calibration.t1, self.calibration.t2, self.calibration.exponent)
        self._steady, _, self._relaxation = steady_rates(memory)
        self._stretched, self._exponent = memory.stretched_rate, memory.exponent

    def rates(self, slot: int) -> Correlators:
        """Believed decay rates of a half in this slot (x, y, z; 1/s)."""
        rule = self.rules.get(slot)
        rate = self._steady + (0.0 if rule is None else rule.disturbance)
        return (rate, rate, self._relaxation)

    def stretch(self, birth: Time) -> Stretch | None:
        """The stretched part of the decay of a half that was born then."""
        return Stretch(self._stretched, self._exponent, birth) if self._stretched > 0.0 else None

    def floor_between(self, a: str, b: str) -> float:
        """Fidelity below which a pair between two nodes is of no use to the request."""
        asked = self.asked
        if asked is None or {a, b} != {asked.source, asked.destination}:
            return WORTHLESS
        return floor_of(asked)

    @property
    def gathers(self) -> bool:
        """Whether complete pairs wait for the others of their set."""
        return self.asked is not None and gathers(self.asked)

    @property
    def window(self) -> Time | None:
        """For how long after its birth a pair may wait for the others; None for no bound."""
        return None if self.asked is None else self.asked.window


class Installed:
    """Which installation each slot of each node is lent to, as `Prepare`, `Commit` and `Release` say when they arrive.

    Attributes:
        requests: that have had no outcome yet, by name.
        wishes: what is asked instead of them and not answered yet, by name.
    """

    def __init__(self) -> None:
        self.requests: dict[str, LinkRequest] = {}
        self.wishes: dict[str, LinkRequest] = {}
        self._prepared: dict[tuple[str, int], Installation] = {}
        self._leases: dict[tuple[str, int], Installation] = {}

    def at(self, node: str, slot: int) -> Installation | None:
        """The installation that a slot is lent to."""
        return self._leases.get((node, slot))

    def asks(self, place: str, message: LinkRequest | Ask) -> None:
        """Somebody asks."""
        request = message if isinstance(message, LinkRequest) else message.request
        self.requests[request.name] = request

    def wishes_for(self, place: str, message: Renegotiate) -> None:
        """Somebody wishes for other terms."""
        self.wishes[message.request] = message.wish

    def stays(self, place: str, message: Kept) -> None:
        """The wish is not met."""
        self.wishes.pop(message.request, None)

    def prepare(self, node: str, message: Prepare) -> None:
        """A node has been told its rules; a letter that comes twice changes nothing."""
        known = self.requests.get(message.request) or self.requests.get(asked_as(message.request))
        self._prepared.setdefault((node, message.epoch), Installation(message, known))

    def ended(self, place: str, message: Outcome | Refused) -> None:
        """A request has had its outcome, or was refused."""
        self.requests.pop(message.request, None)
        self.wishes.pop(message.request, None)

    def changed(self, place: str, message: Renegotiated) -> None:
        """A request runs on the terms that were wished for, on the installation that it has or on the one that was made for them."""
        request = message.request
        wish = self.wishes.pop(request, None)
        if wish is not None and request in self.requests:
            self.requests[request] = wish
            for installation in self._prepared.values():
                if installation.request == request or is_path_of(installation.request, request):
                    installation.asked = wish

    def commit(self, node: str, epoch: int) -> None:
        """It may act on them."""
        installation = self._prepared.get((node, epoch))
        if installation is not None:
            for slot in installation.rules:
                self._leases[node, slot] = installation

    def let_go(self, node: str, epoch: int) -> None:
        """Its slots are free; twice changes nothing."""
        installation = self._prepared.pop((node, epoch), None)
        if installation is not None:
            for slot in installation.rules:
                if self._leases.get((node, slot)) is installation:
                    del self._leases[node, slot]

    def fail(self, node: str) -> None:
        """A node has forgotten everything."""
        for each, epoch in [key for key in self._prepared if key[0] == node]:
            self.let_go(each, epoch)
