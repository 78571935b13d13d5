"""What is installed in nodes: epochs from their leases to their release, in two phases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from quantum_fabric.control.admission import Admission
from quantum_fabric.control.ledger import Ledger
from quantum_fabric.control.meaning import end_rules
from quantum_fabric.control.reading import epoch_key
from quantum_fabric.control.rules import calibration, compile_rules, lanes_wanted, retention, slots_wanted
from quantum_fabric.control.session import Ends, Installation, Phase, Session, lease_length
from quantum_fabric.messages import (
    CONTROLLER,
    Code,
    Commit,
    Declined,
    Drain,
    Prepare,
    Prepared,
    Release,
    Released,
    Renew,
    Send,
    Stale,
    Status,
    Wake,
)
from quantum_fabric.network.topology import Topology
from quantum_fabric.ports import Action
from quantum_fabric.units import SECOND, Time, show_time

if TYPE_CHECKING:
    from quantum_fabric.control.verification.verifier import Verifier


class Owner(Ends, Protocol):
    """What installations need of the controller whose sessions they serve."""

    topology: Topology
    ledger: Ledger
    admission: Admission
    verifier: Verifier | None

    def repair(self, session: Session, why: str, now: Time, out: list[Action]) -> None:
        """Another path for the pairs that are still owed, or an end with the reason."""

    def serve_queue(self, now: Time) -> list[Action]:
        """Install what fits, in the order of the discipline."""

    def runs(self, session: Session, now: Time, out: list[Action]) -> None:
        """Every node acts on the rules of a session now."""


class Installations:
    """Leases slots, tells nodes their rules, renews, lets go.

    Args:
        owner: the controller.
        lease: for how long slots are lent at least before they must be renewed, ps.
        secret: from which the keys follow that say which pairs are measured and how.
    """

    def __init__(self, owner: Owner, lease: Time, secret: bytes) -> None:
        self._owner = owner
        self.least = lease
        self._secret = secret
        self._epochs = 0
        self._by_epoch: dict[int, Session] = {}
        # until when an answer to Prepare, or a confirmation, may be on its way
        self.patience = 4 * owner.topology.longest_delay() + SECOND // 1000
        self._tardy: Time = 0  # for how long a letter may be under way, where some are lost and sent again
        self._guard: Time = 0  # by which nodes are told that leases end before they do in the ledger

    def bear(self, tardy: Time, guard: Time) -> None:
        """From now on reckon with letters that take long and with clocks of nodes that are wrong (ps)."""
        self._tardy, self._guard = tardy, guard
        self.patience = max(self.patience, 2 * tardy)

    def count_from(self, epoch: int) -> int:
        """Give the coming epochs numbers above this one; returns the last that was given."""
        last, self._epochs = self._epochs, max(self._epochs, epoch)
        return last

    def session(self, epoch: int) -> Session | None:
        """Whose leases an epoch has; None when all came home."""
        return self._by_epoch.get(epoch)

    def moved(self, epoch: int, session: Session) -> None:
        """An epoch belongs to another session now."""
        self._by_epoch[epoch] = session

    def install(self, session: Session, now: Time, out: list[Action]) -> None:
        """Phase one: lease the slots and tell every node of the path its rules."""
        plan, request = session.plan, session.request
        self._epochs += 1
        epoch = self._epochs
        lease = lease_length(plan, self.least)
        until = now + lease
        slots = self._owner.ledger.lease(epoch, slots_wanted(plan), until)
        session.installation = Installation(epoch, plan, set(plan.path), lease=lease, since=now)
        session.phase = Phase.PREPARING
        self._by_epoch[epoch] = session
        lanes = self._owner.ledger.lanes(epoch, lanes_wanted(plan))
        tests = None if self._owner.verifier is None else self._owner.verifier.reading(session)
        ends = end_rules(request, epoch_key(self._secret, epoch), tests)
        rules = compile_rules(plan, self._owner.topology, slots, lanes, request.hold, ends)
        keep = max(retention(plan, self._owner.topology), self._tardy * len(plan.path))
        for node in plan.path:
            belief = calibration(self._owner.topology.nodes[node])
            prepare = Prepare(epoch, request.name, node, rules[node], belief, until - self._guard, keep)
            out.append(Send(node, prepare))
        out.append(Wake(now + self.patience, "prepared", epoch))
        out.append(Wake(now + lease // 2, "renew", epoch))
        out.append(Wake(until, "expire", epoch))

    def current(self, epoch: int) -> Session | None:
        """The session that this epoch serves now; None when it was replaced or is over."""
        session = self._by_epoch.get(epoch)
        if session is None or session.installation is None or session.installation.epoch != epoch:
            return None
        return session

    def standing(self, epoch: int) -> tuple[Session, Installation] | None:
        """The session and installation of an epoch that is in force or keeps delivered pairs; None when it was released."""
        session = self._by_epoch.get(epoch)
        if session is None:
            return None
        for each in (session.installation, *session.kept):
            if each is not None and each.epoch == epoch:
                return session, each
        return None

    def prepared(self, message: Prepared, now: Time) -> list[Action]:
        """A node holds its leases."""
        session = self.current(message.epoch)
        if session is None or session.phase is not Phase.PREPARING:
            return [Stale(CONTROLLER, "Prepared", message.epoch)]
        assert session.installation is not None
        session.installation.waiting.discard(message.node)
        if session.installation.waiting:
            return []
        settling = self._owner.admission.stations.settling(session.plan)
        if settling:
            return [Wake(now + settling, "settled", message.epoch)]
        return self._committed(session, now)

    def _committed(self, session: Session, now: Time) -> list[Action]:
        """Phase two: every node acts."""
        assert session.installation is not None
        session.phase = Phase.RUNNING
        epoch = session.installation.epoch
        out: list[Action] = [Send(node, Commit(epoch)) for node in session.plan.path]
        self._owner.runs(session, now, out)
        return out

    def declined(self, message: Declined, now: Time) -> list[Action]:
        """A node will not take its part."""
        session = self.current(message.epoch)
        if session is None or session.phase is not Phase.PREPARING:
            return [Stale(CONTROLLER, "Declined", message.epoch)]
        out: list[Action] = []
        reason = f"{message.node} declined: {message.reason}"
        self._owner.end(session, Status.FAILED, reason, now, out, Code.REJECTED)
        return out

    def let_go(self, session: Session, out: list[Action]) -> None:
        """Tell every node to stop for this session; its leases end when each node says so, or run out."""
        for installation in (session.installation, *session.kept):
            if installation is not None:
                out.extend(Send(node, Release(installation.epoch)) for node in installation.plan.path)
        session.installation = None
        session.kept.clear()

    def retire(self, session: Session, now: Time, out: list[Action]) -> None:
        """Stop the epoch in force. Pairs that it delivered and holds are the application's: its ends keep them until they expire."""
        installation, session.installation = session.installation, None
        if installation is None:
            return
        epoch, path = installation.epoch, installation.plan.path
        if installation.held_until <= now:
            out.extend(Send(node, Release(epoch)) for node in path)
            return
        session.kept.append(installation)
        out.extend(
            Send(node, Drain(epoch) if node in (path[0], path[-1]) else Release(epoch)) for node in path
        )
        out.append(Wake(installation.held_until, "held", epoch))

    def released(self, message: Released, now: Time) -> list[Action]:
        """A node has let go."""
        self._owner.ledger.release(message.epoch, message.node)
        out: list[Action] = []
        session = self.current(message.epoch)
        if session is not None and session.open:  # nobody told the node to: its lease ran out unrenewed
            self._owner.repair(session, f"{message.node} let go of its slots", now, out)
        if not self._owner.ledger.holds(message.epoch):
            self._by_epoch.pop(message.epoch, None)
        return [*out, *self._owner.serve_queue(now)]

    def past_patience(self, epoch: int, now: Time, out: list[Action]) -> None:
        """Whoever has not answered by now will not."""
        session = self.current(epoch)
        if session is not None and session.phase is Phase.PREPARING:
            assert session.installation is not None
            if not session.installation.waiting:
                return  # its analysers are being connected
            silent = ", ".join(sorted(session.installation.waiting))
            reason = f"no answer from {silent} within {show_time(self.patience)}"
            self._owner.end(session, Status.FAILED, reason, now, out, Code.TIMEOUT)

    def renew(self, epoch: int, now: Time, out: list[Action]) -> None:
        """Lend the slots of an epoch for longer."""
        standing = self.standing(epoch)
        if standing is None:
            return
        session, installation = standing
        path = installation.plan.path
        until = now + installation.lease
        self._owner.ledger.renew(epoch, until)
        nodes = path if installation is session.installation else (path[0], path[-1])
        out.extend(Send(node, Renew(epoch, until - self._guard)) for node in nodes)
        out.append(Wake(now + installation.lease // 2, "renew", epoch))
        out.append(Wake(until, "expire", epoch))

    def settled(self, epoch: int, now: Time) -> list[Action]:
        """The analysers of an epoch are connected."""
        session = self.current(epoch)
        return (
            self._committed(session, now) if session is not None and session.phase is Phase.PREPARING else []
        )

    def expire(self, now: Time) -> list[Action]:
        """Leases that nobody renewed are over."""
        over = self._owner.ledger.expire(now)
        for epoch, _ in over:
            if not self._owner.ledger.holds(epoch):
                self._by_epoch.pop(epoch, None)
        return self._owner.serve_queue(now) if over else []
