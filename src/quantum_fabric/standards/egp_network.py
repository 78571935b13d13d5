"""Link-layer services of several nodes, on a running network (`quantum_fabric.ports.Network`).

The network tells one caller of every pair; here each message goes to the service at both of its ends, in the order in which it was
told. The peer is asked whether it takes a request before the network is: the question takes as long as a letter there and back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.messages import Client, Delivered, Outcome, Outcomes, Refused, Service
from quantum_fabric.ports import Network
from quantum_fabric.standards.egp import Ack, Answer, Create, Err, ErrorCode, OkKeep, Receive
from quantum_fabric.standards.egp_service import Carried, EgpService, place_of
from quantum_fabric.units import Time


class EgpNetwork:
    """The service at some nodes of a network.

    Args:
        network: that runs.
        numbers: node identifier of each node that takes part.
        carried: what the network can do.

    Raises:
        InputError: two nodes have the same number.

    Examples:
        >>> from quantum_fabric import documents
        >>> from quantum_fabric.fabric import Fabric
        >>> from quantum_fabric.standards.egp import CreateKeep, Receive
        >>> fabric = Fabric(documents.inventory(documents.load_network("lab")), seed=1)
        >>> layer = EgpNetwork(fabric, {"Alice": 1, "Bob": 2})
        >>> layer.receive("Bob", Receive(1, purpose_id=7))
        >>> layer.create("Alice", CreateKeep(2, 0.8, purpose_id=7))
        Ack(create_id=0)
        >>> layer.run(10**13)
        >>> ok, err = layer.take("Bob")  # nobody used the pair, and it has faded
        >>> type(ok).__name__, ok.sequence_number, ok.from_remote, err.code.name, err.expired()
        ('OkKeep', 0, True, 'EXPIRE', [0])
    """

    def __init__(
        self,
        network: Network,
        numbers: Mapping[str, int],
        carried: Carried = Carried(),  # noqa: B008 - frozen
    ) -> None:
        self._network = network
        self.services: Final = {name: EgpService(name, numbers, carried) for name in numbers}
        self._by_number = {number: name for name, number in numbers.items()}
        self._told: dict[str, list[Answer]] = {name: [] for name in numbers}
        self._services: dict[str, Service] = {}  # of each request that was passed on
        self._heard: dict[str, int] = {}  # request that has had no outcome -> replies that were passed on
        self._held: dict[tuple[str, int, int], str] = {}  # (node, peer's number, sequence number) -> request

    def _service(self, node: str) -> EgpService:
        found = self.services.get(node)
        if found is None:
            raise UnknownNameError(repr(node), f"one of {', '.join(self.services)}", "node")
        return found

    def receive(self, node: str, wish: Receive) -> None:
        """RECV or STOP_RECV at a node.

        Raises:
            UnknownNameError: no service there.
        """
        self._service(node).receive(wish)

    def create(self, node: str, wish: Create) -> Ack | Err:
        """CREATE at a node: the local answer. A peer that does not take it answers later, with REJECTED.

        Raises:
            UnknownNameError: no service there.
        """
        service = self._service(node)
        answer, request = service.create(wish, self._network.now)
        if request is None:
            return answer
        asked = self._network.now + 2 * self._network.delay(node, request.destination)
        if not self.services[request.destination].takes(service.number, wish.purpose_id):
            self._network.run(asked)
            self._told[node].append(service.rejected(request.name))
            return answer
        try:
            self._network.submit(request, asked)
        except InputError:  # the network knows at once that it cannot: a field that it does not serve, a deadline that is past
            assert isinstance(answer, Ack)
            service.rejected(request.name)
            return Err(answer.create_id, ErrorCode.UNSUPP, service.number)
        self._heard[request.name] = 0
        self._services[request.name] = request.service
        return answer

    def used(self, node: str, remote_node_id: int, sequence_number: int) -> None:
        """The application at a node has used its half, or wants it no more.

        The network keeps the memory slots of a request until they are given back, and the protocol has no message for that: when every
        half of a request that is over has been used, or has expired, it is withdrawn here.

        Raises:
            UnknownNameError: no service there.
        """
        peer = self._by_number.get(remote_node_id, "")
        self._service(node).consumed(peer, sequence_number)
        name = self._held.pop((node, remote_node_id, sequence_number), None)
        if name is not None:
            self._give_back(name)

    def _give_back(self, name: str) -> None:
        if name not in self._heard and name not in self._held.values():
            self._network.cancel(name)

    def run(self, until: Time) -> None:
        """Let the network live until a time, and hear what it says.

        Args:
            until: ps.
        """
        self._network.run(until, self._hear)
        self._hear()
        for node, service in self.services.items():
            errs = service.expired(self._network.now)
            self._told[node] += errs
            for err in errs:
                self._forget(node, err)

    def _forget(self, node: str, err: Err) -> None:
        """Pairs of a request that were taken back at a node."""
        numbers = set(err.expired())
        keys = [key for key in self._held if key[0] == node and key[2] in numbers]
        for key in keys:
            place = place_of(self._held[key])
            assert place is not None, "only requests of this service are held"
            if (self.services[place[0]].number, place[1]) == (err.origin_node_id, err.create_id):
                self._give_back(self._held.pop(key))

    def _hear(self) -> bool:
        fresh = []
        for name, heard in self._heard.items():
            replies = self._network.replies(name)
            fresh += replies[heard:]
            self._heard[name] = len(replies)
        for message in _in_order(fresh):
            self._pass_on(message)
        return False

    def _pass_on(self, message: Client) -> None:
        for node, service in self.services.items():
            answer: Answer | None = None
            if isinstance(message, Delivered):
                answer = service.delivered(message, self._services[message.request])
            elif isinstance(message, Outcomes):
                answer = service.read(message)
            elif isinstance(message, Refused):
                answer = service.refused(message)
            elif isinstance(message, Outcome):
                answer = service.ended(message)
            if answer is not None:
                self._told[node].append(answer)
            if isinstance(answer, OkKeep):
                assert isinstance(message, Delivered)
                self._held[node, answer.remote_node_id, answer.sequence_number] = message.request
        if isinstance(message, Outcome):
            del self._heard[message.request]

    def take(self, node: str) -> list[Answer]:
        """What has been said to the higher layer of a node since it asked last.

        Raises:
            UnknownNameError: no service there.
        """
        self._service(node)
        told, self._told[node] = self._told[node], []
        return told


def _in_order(messages: Iterable[Client]) -> list[Client]:
    """Deliveries of one step of the clock by their time, then the rest as it came (an outcome follows its deliveries)."""
    return sorted(
        messages,
        key=lambda message: (not isinstance(message, Delivered), getattr(message, "delivered_at", 0)),
    )
