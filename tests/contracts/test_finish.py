"""A run that is ended asks nothing more: no lease, no open request, no fault is left behind (contracts 2 and 6)."""

from __future__ import annotations

from quantum_fabric import documents
from quantum_fabric.fabric import Fabric
from quantum_fabric.messages import LinkChanged, LinkRequest, Outcome, Status
from quantum_fabric.units import MS, SECOND


def test_what_was_to_be_asked_later_is_not_asked() -> None:
    fabric = Fabric(documents.inventory(documents.load_network("chicago")), seed=1)
    fabric.submit(LinkRequest("NU", "UChicago_HC", 0.9, pairs=1000, name="now"))
    fabric.submit(LinkRequest("NU", "StarLight", 0.9, pairs=10**7, name="soon"), at=11 * MS)
    fabric.submit(LinkRequest("NU", "StarLight", 0.9, pairs=1, hold=True, name="later"), at=10 * SECOND)
    seen: list[object] = []
    fabric.watch(lambda _time, _place, message: seen.append(message), LinkChanged)
    fabric.inject(LinkChanged("", "NU~StarLight", False), at=12 * MS)
    fabric.run(10 * MS)
    fabric.finish()
    assert fabric.open_requests == frozenset()
    assert fabric.controller.ledger.leases() == []
    assert all(agent.leases == {} for agent in fabric.agents.values())
    for name in ("now", "soon", "later"):
        outcomes = [reply for reply in fabric.replies(name) if isinstance(reply, Outcome)]
        assert [outcome.status for outcome in outcomes] == [Status.CANCELLED]
    fabric.run(20 * SECOND)
    assert len(fabric.replies("later")) == 1
    assert seen == []
