"""What is explored: small networks, few requests, few faults."""

from __future__ import annotations

from dataclasses import replace

from model.world import Scene
from quantum_fabric.messages import LinkRequest, LinkWorn, Order, Promise, Renegotiate, Survival
from quantum_fabric.units import MS

COORDINATION = frozenset({"Joined", "Lost", "PurifyAsk", "PurifyAnswer"})
SETTLED = {"settled": True, "deadlines": (None,), "until": 0}
"""Only what comes after `Commit`, with all the time in the world: has every request its pairs in the end?"""

HOP = Scene({"A": 1, "B": 1}, ("AB",), (("AB", {}),))
CHAIN = Scene({"A": 1, "B": 2, "C": 1}, ("AB", "BC"), (("ABC", {}),))
FOUR = Scene({"A": 1, "B": 2, "C": 2, "D": 1}, ("AB", "BC", "CD"), (("ABCD", {}),))
ROUND = Scene({"A": 2, "B": 2}, ("AB",), (("AB", {"lanes": 2, "rounds": 1}),))
RIVALS = Scene(
    {"A": 1, "B": 1}, ("AB",), (("AB", {}), ("AB", {})), (1, 1), (3 * MS, 3 * MS), heralds=2, until=7 * MS
)

QUICK = {
    "one hop": HOP,
    "one hop, a letter lost": replace(HOP, lose=1),
    "one hop, a letter twice": replace(HOP, repeat=1),
    "one hop, withdrawn": replace(HOP, cancel=True),
    "one hop, withdrawn, a letter twice": replace(HOP, cancel=True, repeat=1),
    "chain, settled, a swap fails, coordination twice": replace(
        CHAIN, heralds=2, swap=1, repeat=1, only=COORDINATION, **SETTLED
    ),
    "four nodes, settled": replace(FOUR, **SETTLED),
    "a round, a letter twice, the gate fails": replace(ROUND, heralds=2, repeat=1, purify=1, **SETTLED),
    "two rounds, settled": replace(
        ROUND, slots={"A": 4, "B": 4}, paths=(("AB", {"lanes": 4, "rounds": 2}),), **SETTLED
    ),
    "a round on the whole chain": replace(
        CHAIN, slots={"A": 2, "B": 4, "C": 2}, paths=(("ABC", {"lanes": 2, "end_rounds": 1}),), **SETTLED
    ),
    "rounds on the links of a chain": replace(
        CHAIN, slots={"A": 2, "B": 4, "C": 2}, paths=(("ABC", {"lanes": 2, "rounds": 1}),), **SETTLED
    ),
    "two requests for one slot": RIVALS,
}
"""Each is explored to the end, together in about half a minute."""

LONG = {
    "chain": CHAIN,
    "one hop, two letters twice": replace(HOP, repeat=2, pairs=(2,), heralds=2),
    "one hop, a letter lost and one twice": replace(HOP, lose=1, repeat=1),
    "one hop, a node crashes": replace(HOP, crash=1, until=9 * MS),
    "one hop, timers overtake letters": replace(HOP, transit=None, until=6 * MS),
    "a round, a letter twice": replace(ROUND, repeat=1),
    "chain, settled, a letter twice": replace(CHAIN, heralds=2, swap=1, repeat=1, **SETTLED),
    "four nodes, settled, nested": replace(
        FOUR, paths=(("ABCD", {"order": Order.NESTED}),), heralds=2, swap=1, **SETTLED
    ),
    "three requests for one slot": replace(
        RIVALS, paths=(("AB", {}),) * 3, pairs=(1, 1, 1), deadlines=(3 * MS,) * 3, heralds=3
    ),
}
"""Minutes of work."""

WIDE = {
    "four nodes, three requests": Scene(
        {"A": 2, "B": 3, "C": 3, "D": 2},
        ("AB", "BC", "CD"),
        (("ABCD", {}), ("BCD", {}), ("AB", {})),
        (2, 1, 2),
        (5 * MS, 7 * MS, 3 * MS),
        heralds=4,
        lose=2,
        repeat=2,
        crash=1,
        swap=1,
        cancel=True,
    ),
    "a diamond, detours": Scene(
        {"A": 2, "B": 2, "C": 2, "D": 2},
        ("AB", "BD", "AC", "CD"),
        (("ABD", {"cutoff": 2 * MS}), ("ACD", {}), ("AB", {})),
        (2, 1, 1),
        (7 * MS, None, 9 * MS),
        heralds=4,
        repeat=2,
        crash=1,
        swap=2,
    ),
    "four nodes, nested, purified": Scene(
        {"A": 2, "B": 4, "C": 4, "D": 2},
        ("AB", "BC", "CD"),
        (
            ("ABCD", {"order": Order.NESTED, "lanes": 2, "rounds": 1, "cutoff": 3 * MS}),
            ("BCD", {}),
            ("AB", {}),
        ),
        (1, 1, 1),
        (9 * MS, 5 * MS, 7 * MS),
        heralds=4,
        lose=1,
        repeat=2,
        swap=1,
        purify=1,
    ),
}
"""Too large to be explored: schedules are drawn at random, with loss, repetition, reordering and crashes."""
WIDE |= {f"{name}, no bound on delays": replace(scene, transit=None) for name, scene in WIDE.items()}

FAULTS = {"lose": 2, "repeat": 2, "crash": 1}
MIXED = {
    "one hop": replace(HOP, cancel=True, heralds=2, until=12 * MS, **FAULTS),
    "one hop, no bound on delays": replace(HOP, transit=None, heralds=2, until=12 * MS, **FAULTS),
    "chain": replace(CHAIN, heralds=2, swap=1, until=12 * MS, **FAULTS),
    "two requests for one slot": replace(RIVALS, until=12 * MS, **FAULTS),
    "a round of purification": replace(ROUND, purify=1, until=12 * MS, **FAULTS),
}
"""Small scenes with every kind of fault at once, for very many schedules."""

RELIABLE = {"reliable": True}
SURE = {
    "one hop, a letter lost": replace(HOP, lose=1, **RELIABLE),
    "one hop, a letter lost, without a deadline": replace(
        HOP, lose=1, deadlines=(None,), until=MS, **RELIABLE
    ),
    "one hop, a letter twice": replace(HOP, repeat=1, **RELIABLE),
    "one hop, clocks behind": replace(HOP, skew=MS, guard=MS, **RELIABLE),
    "a chain, settled, news of a swap lost": replace(
        CHAIN, heralds=2, lose=1, only=frozenset({"Joined"}), **{**SETTLED, "until": MS}, **RELIABLE
    ),
}
"""With endpoints: letters are acknowledged and sent again. Each is explored to the end."""

LONG_SURE = {
    "one hop, the controller starts again": replace(
        HOP, restart=1, deadlines=(2 * MS,), until=2 * MS, **RELIABLE
    ),
    "one hop, a node crashes": replace(HOP, crash=1, deadlines=(2 * MS,), until=5 * MS, **RELIABLE),
    "one hop, two letters lost": replace(HOP, lose=2, until=6 * MS, **RELIABLE),
    "one hop, clocks ahead": replace(HOP, skew=-MS, guard=MS, until=5 * MS, **RELIABLE),
    "two requests for one slot": replace(RIVALS, **RELIABLE),
    "two requests for one slot, the controller starts again": replace(RIVALS, restart=1, **RELIABLE),
    "a chain": replace(CHAIN, **RELIABLE),
}
"""Breadth first, to a budget."""

MIXED_SURE = {
    f"{name}, reliable": replace(scene, restart=1, lose=3, guard=MS // 2, skew=skew, **RELIABLE)
    for (name, scene), skew in zip(MIXED.items(), (0, MS // 2, -MS // 2, 0, MS // 2), strict=True)
}
"""Every kind of fault at once, the controller's restart and wrong clocks among them, for very many schedules."""
WIDE_SURE = {
    f"{name}, reliable": replace(scene, restart=1, lose=3, guard=MS // 2, **RELIABLE)
    for name, scene in WIDE.items()
}

CRASHING = replace(HOP, crash=1, deadlines=(2 * MS,), until=5 * MS)
REPORTED = replace(CRASHING, until=0, deadlines=(None,))
"""A node stops and starts, and the reports of its neighbour overtake each other."""
UNREACHED = replace(
    HOP,
    lose=4,
    only=frozenset({"Release"}),
    heralds=0,
    deadlines=(MS,),
    until=8 * MS,
    skew=MS // 2,
    guard=MS // 2,
    **RELIABLE,
)
"""A node whose clock is behind is never told that its epoch is over: its lease has to run out, and in time."""
THREE = Scene(
    {"A": 1, "B": 1, "C": 1, "D": 1},
    ("AB", "BC", "CD"),
    (("AB", {}), ("BC", {}), ("CD", {})),
    (1, 1, 1),
    (None, None, None),
    heralds=1,
    until=0,
)
"""Four nodes and three requests, two of which want the same slot of B, and two the same of C."""
FOURS = {
    "four nodes, three requests": THREE,
    "four nodes, three requests over one to three links, settled": replace(
        THREE,
        slots={"A": 1, "B": 3, "C": 5, "D": 3},
        paths=(("ABCD", {}), ("BCD", {}), ("CD", {})),
        **{**SETTLED, "deadlines": (None, None, None)},
    ),
}
"""Four nodes and three requests, within the bounds that reservation.md states."""

WISH = LinkRequest("A", "B", 0.6, 2, promise=Promise.AVERAGE)
"""Other terms, for which the nodes need other rules: a second installation beside the first."""
CHANGED = replace(
    HOP,
    slots={"A": 2, "B": 2},
    pairs=(2,),
    heralds=2,
    deadlines=(None,),
    until=0,
    later=(Renegotiate("r1", WISH),),
)
TRIANGLE = Scene(
    {"A": 2, "B": 2, "C": 2},
    ("AB", "AC", "BC"),
    (("AB", {}), ("ACB", {})),
    (1,),
    (None,),
    heralds=1,
    cut=1,
    until=0,
)
BARE = replace(CHANGED, pairs=(1,), heralds=0)
WORN = replace(
    TRIANGLE,
    slots={"A": 2, "B": 2, "C": 2},
    heralds=0,
    cut=0,
    later=(LinkWorn("A~B", True),),
    unbroken=True,
    **SETTLED,
)
"""A link wears out under a session that has another path: it moves, and is served all the while."""
CHANGES = {
    "other terms at any moment": replace(BARE, unbroken=True),
    "a link wears out, another path": WORN,
    "other terms for which there are no slots": replace(CHANGED, slots={"A": 1, "B": 1}),
    "other terms, when all is running": replace(CHANGED, pairs=(1,), heralds=1, unbroken=True, **SETTLED),
    "other terms, when all is running, a letter twice": replace(BARE, repeat=1, unbroken=True, **SETTLED),
    "other terms, when all is running, and withdrawn": replace(BARE, cancel=True, unbroken=True, **SETTLED),
    "a link is cut, another path": replace(TRIANGLE, heralds=0, **SETTLED),
    "a link is cut, a backup stands ready": replace(TRIANGLE, heralds=0, survives=Survival.LINK, **SETTLED),
}
"""Changes of what runs, make-before-break, and the switch to a backup. Each is explored to the end."""
LONG_CHANGES = {
    "other terms at any moment": CHANGED,
    "other terms, a letter twice": replace(CHANGED, pairs=(1,), heralds=1, repeat=1),
    "other terms and withdrawn": replace(CHANGED, pairs=(1,), heralds=1, cancel=True),
    "a link is cut, another path": replace(TRIANGLE, **SETTLED),
    "a link is cut, a backup stands ready": replace(TRIANGLE, survives=Survival.LINK, **SETTLED),
}
"""With heralds: breadth first, to a budget."""
