"""Every move of a slot, legal and illegal."""

from __future__ import annotations

from itertools import product

import pytest

from quantum_fabric.control.qubit import ENTANGLED, MOVES, Qubit, State
from quantum_fabric.errors import ProtocolError
from quantum_fabric.messages import Bell, Joined, Side

LIFE = {
    "IDLE": "ARMED",
    "ARMED": "LIVE IDLE",
    "LIVE": "SWAPPING ASKING ANSWERING READING HELD IDLE",
    "SWAPPING": "IDLE",
    "ASKING": "ASKED IDLE",
    "ASKED": "LIVE IDLE",
    "ANSWERING": "LIVE IDLE",
    "READING": "IDLE",
    "HELD": "IDLE",
}
"""The life of a slot, written down a second time."""

LEGAL = {(State[here], State[there]) for here, those in LIFE.items() for there in those.split()}


def at(state: State) -> Qubit:
    qubit = Qubit(3, Side.LEFT, "A~B", 1)
    qubit.state = state
    return qubit


def test_the_table_is_the_life_of_a_slot() -> None:
    assert {(here, there) for here, those in MOVES.items() for there in those} == LEGAL


@pytest.mark.parametrize(("here", "there"), list(product(State, State)))
def test_every_move(here: State, there: State) -> None:
    qubit = at(here)
    if (here, there) in LEGAL:
        qubit.move(there)
        assert qubit.state is there
    else:
        with pytest.raises(ProtocolError, match=f"^slot 3 cannot go from {here.name} to {there.name}$"):
            qubit.move(there)
        assert qubit.state is here


@pytest.mark.parametrize("state", list(State)[1:])
def test_every_state_can_be_emptied(state: State) -> None:
    assert State.IDLE in MOVES[state]


def test_a_half_is_held_in_every_state_after_the_herald() -> None:
    assert set(State) - ENTANGLED == {State.IDLE, State.ARMED}


def test_clearing_forgets_the_half_and_keeps_the_lease() -> None:
    qubit, fresh = at(State.HELD), at(State.HELD)
    qubit.mine, qubit.far, qubit.partner = "a", "b", "B"
    qubit.frame, qubit.quality = Bell.PSI_MINUS, (0.1, 0.2, 0.3)
    qubit.born, qubit.far_born, qubit.far_decay = 5, 6, (1.0, 1.0, 1.0)
    qubit.rounds, qubit.broken = 2, True
    qubit.early = (Joined(1, "a", "b", "C", "c", Bell.PHI_PLUS, (1.0, 1.0, 1.0), 0, (0.0, 0.0, 0.0)),)
    qubit.clear()
    for field in Qubit.__slots__:
        assert getattr(qubit, field) == getattr(fresh, field), field
    assert (qubit.slot, qubit.side, qubit.link, qubit.lane) == (3, Side.LEFT, "A~B", 1)
