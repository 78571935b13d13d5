"""Honest fidelity for one controller: sets the share of tests, learns from them, and says what it knows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from quantum_fabric.control.estimate import fidelity
from quantum_fabric.control.session import Session
from quantum_fabric.control.verification.belief import Outlook
from quantum_fabric.control.verification.budget import Account
from quantum_fabric.control.verification.estimator import Estimator
from quantum_fabric.control.verification.experience import Experience
from quantum_fabric.control.verification.policy import Verification
from quantum_fabric.control.verification.readout import Contrast, contrast
from quantum_fabric.control.verification.suspects import Element, Suspects
from quantum_fabric.messages import (
    CLIENT,
    Bell,
    Confirmed,
    Correlators,
    Degraded,
    Delivered,
    Doubt,
    Plan,
    Reading,
    Send,
    Suspected,
    Verified,
    Wake,
)
from quantum_fabric.network.topology import Topology
from quantum_fabric.ports import Action
from quantum_fabric.units import Time

BASES: Final = ("X", "Y", "Z")

MEMORY: Final = 0.98
"""What a pair leaves of the mean of what was believed of the pairs before it."""

STEEPEST: Final = 60.0
"""Largest power of correlators that is told."""


@dataclass(slots=True)
class Watch:
    """What is known of the pairs of one session on one path.

    Attributes:
        path: nodes and links.
        estimator: from calibrations and tests.
        mean: of the believed correlators of its pairs, the latest most; None before the first pair.
        outlook: after the last test; None before the first.
        losses: powers of the believed correlators for it.
        pairs, spent: complete pairs, and tests among them.
        below: whether it was told that the pairs are worse than what was asked for.
    """

    path: tuple[str, ...]
    estimator: Estimator
    mean: Correlators | None = None
    outlook: Outlook | None = None
    losses: tuple[float, float, float] = (1.0, 1.0, 1.0)
    pairs: int = 0
    spent: int = 0
    below: bool = False


class Verifier:
    """Of a controller.

    Args:
        policy: how much is tested, and how sure an alarm must be.
        tolerance: relative error of the believed losses, two standard deviations.
        topology: what is believed of the network.

    Attributes:
        account: of pairs and tests.
        experience: how far calibrations could be trusted so far.
        suspects: what all tests say of repeaters and links.
    """

    def __init__(self, policy: Verification, tolerance: float, topology: Topology) -> None:
        self.policy = policy
        self.account = Account(policy.share)
        self.experience = Experience(policy.jumps)
        elements = len(topology.nodes) + len(topology.links)
        self.suspects = Suspects(elements, policy.suspicion, policy.harmless)
        self._tolerance = tolerance
        self._topology = topology
        self._watches: dict[str, Watch] = {}

    # --------------------------------------------------------------------------------------- the sessions

    def reading(self, session: Session) -> Reading | None:
        """Of which pairs of an installation that begins now are tests made; None for none."""
        watch = self._watches.get(session.request.name)
        tests = 0 if watch is None else watch.estimator.belief.tests
        share = self.account.share(tests, watch is not None and (watch.estimator.doubted or watch.below))
        return Reading(BASES, share) if share > 0.0 else None

    def over(self, session: Session) -> None:
        """A session has had its outcome."""
        watch = self._watches.pop(session.request.name, None)
        if watch is not None:
            self.experience.learn(watch.estimator)

    def watch(self, session: Session, plan: Plan, now: Time) -> Watch:
        """What is known of a session's pairs; nothing yet where its path is another than before."""
        path = (*plan.path, *(link.link for link in plan.links))
        watch = self._watches.get(session.request.name)
        if watch is None or watch.path != path:
            age = now - self.policy.calibrated_at
            learnt = self.experience.weights, self.experience.jumps
            watch = Watch(path, Estimator(self.policy, self._tolerance, age, now, *learnt))
            self._watches[session.request.name] = watch
        return watch

    def delivered(self, session: Session, plan: Plan, record: Delivered, quality: Correlators) -> Delivered:
        """Count a pair, and give its record the interval that tests allow."""
        watch = self.watch(session, plan, record.delivered_at)
        self._count(watch, quality)
        if watch.outlook is None:
            self._look(watch, session.request.fidelity, record.delivered_at)
        middle, most, least = (fidelity(powered(quality, each)) for each in watch.losses)
        assert watch.outlook is not None
        # what is worse than any power of a belief can say is said as it is
        low = min(most, watch.outlook.low) if watch.losses[1] >= STEEPEST else most
        return replace(record, fidelity=middle, low=min(low, middle), high=max(least, middle))

    def _count(self, watch: Watch, quality: Correlators) -> None:
        watch.pairs += 1
        self.account.pairs += 1
        old = watch.mean
        if old is None:
            watch.mean = quality
        else:
            x, y, z = (MEMORY * a + (1.0 - MEMORY) * b for a, b in zip(old, quality, strict=True))
            watch.mean = (x, y, z)

    # ---------------------------------------------------------------------------------------------- tests

    def read(
        self, session: Session, plan: Plan, here: Confirmed, there: Confirmed, agree: bool | None, spent: bool, now: Time,
        out: list[Action],
    ) -> None:  # fmt: skip
        """Both ends have measured a pair.

        Args:
            session: whose pair it was.
            plan: by which it was made.
            here: what one end says.
            there: what the other says.
            agree: whether the bits are as the announced state has them; None where that says nothing of the pair.
            spent: whether it was a test; else it was delivered, and what it shows is for nothing.
            now: ps.
            out: gets what there is to tell.
        """
        later = here if here.at > there.at else there
        watch = self.watch(session, plan, now)
        if spent:
            self._count(watch, later.quality)
            watch.spent += 1
            self.account.spent += 1
        if agree is None or here.read is None:
            return
        basis = BASES.index(here.read.basis)
        seen = self._contrast(plan, here.read.basis, later.bell)
        found = watch.estimator.observe(basis, agree, later.quality, seen, later.at)
        out.extend(Send(CLIENT, Doubt(session.request.name, *each, at=later.at)) for each in found)
        self._look(watch, session.request.fidelity, now)
        self._tell(session, watch, now, out)
        self._suspect(session.request.name, plan, now, out, (agree, later.quality[basis], seen))

    def _contrast(self, plan: Plan, basis: str, bell: Bell) -> Contrast:
        one, two = (self._topology.nodes[plan.path[end]].operations for end in (0, -1))
        return contrast(one, two, basis, bell, self.policy.readout_tolerance)

    def _look(self, watch: Watch, asked: float, now: Time) -> None:
        """The estimate of the pairs that are delivered now."""
        assert watch.mean is not None
        outlook = watch.outlook = watch.estimator.outlook(watch.mean, asked, now)
        middle, most, least = (
            power(watch.mean, each) for each in (outlook.fidelity, outlook.low, outlook.high)
        )
        watch.losses = (middle, most, least)

    def _tell(self, session: Session, watch: Watch, now: Time, out: list[Action]) -> None:
        outlook, request, belief = watch.outlook, session.request, watch.estimator.belief
        assert outlook is not None
        verified = Verified(
            request.name, outlook.fidelity, outlook.low, outlook.high, outlook.measured_low, outlook.measured_high,
            watch.losses, belief.trust, belief.tests, watch.spent, watch.pairs, now,
        )  # fmt: skip
        out.append(Send(CLIENT, verified))
        if watch.below and outlook.below < 0.5:
            watch.below = False
        elif not watch.below and outlook.below >= self.policy.alarm:
            watch.below = True
            degraded = Degraded(
                request.name,
                outlook.fidelity,
                outlook.low,
                outlook.high,
                request.fidelity,
                outlook.below,
                now,
            )
            out.append(Send(CLIENT, degraded))
            out.append(Wake(now, "degraded", 0, request.name))  # repair is a thing for itself

    def _suspect(
        self, request: str, plan: Plan, now: Time, out: list[Action], test: tuple[bool, float, Contrast]
    ) -> None:
        elements: list[Element] = [("node", name) for name in plan.path[1:-1]]
        elements += [("link", link.link) for link in plan.links]
        self.suspects.observe(elements, *test)
        found = self.suspects.named()
        if found is not None:
            kind, name = found.element
            said = Suspected(request, kind, name, found.weight, found.evidence, found.tests, now)
            out.append(Send(CLIENT, said))
            out.append(Wake(now, "suspected", 0, name))


def powered(quality: Correlators, exponent: float) -> Correlators:
    """Correlators if their losses were this many times what is believed.

    Examples:
        >>> powered((0.5, 1.0, -0.5), 2.0)
        (0.25, 1.0, -0.5)
    """
    x, y, z = (each**exponent if each > 0.0 else each for each in quality)
    return (x, y, z)


def power(quality: Correlators, wanted: float) -> float:
    """By what power correlators are to be taken for a fidelity; 0 to `STEEPEST`, which fall short where none is enough.

    Examples:
        >>> round(power((0.9, 0.9, 0.9), fidelity((0.81, 0.81, 0.81))), 6)
        2.0
    """
    low, high = 0.0, STEEPEST
    if fidelity(powered(quality, high)) >= wanted:
        return high
    if fidelity(powered(quality, low)) <= wanted:
        return low
    for _ in range(50):
        middle = 0.5 * (low + high)
        if fidelity(powered(quality, middle)) > wanted:
            low = middle
        else:
            high = middle
    return low
