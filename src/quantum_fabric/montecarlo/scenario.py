"""A scenario: a plant and the rules that are installed on it, as flat arrays that any engine can run.

It is immutable, and its digest names it: the same documents, plan and rules give the same digest, which goes into every result.
Times are integer picoseconds. What the columns mean is said here once; the native kernel reads them in this order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from quantum_fabric.units import Time

Integers: TypeAlias = NDArray[np.int64]
Reals: TypeAlias = NDArray[np.float64]
Table: TypeAlias = Integers | Reals | tuple[str, ...]
Tables: TypeAlias = Mapping[str, Table]

OPERATIONS: Final = (
    "depolarising_1", "depolarising_2", "readout_error_0", "readout_error_1", "swap_success",
    *(f"chance_{label}" for label in range(4)),
    *(f"{axis}_{label}" for label in range(4) for axis in "xyz"),
)  # fmt: skip
"""Columns of a node's operations: probabilities, then what a swap announces and by which factors."""

_DECAY = ("rate_x", "rate_y", "rate_z", "stretched", "exponent")

PLANT: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "nodes": ("slots", "swap_time", "measure_time", "simple", "lossless", "disturbed"),
        "node_noise": (
            "rate_xy", "rate_z", "stretched_rate", "exponent", "loss_per_attempt", "retrieval", "retrieval_lifetime", *OPERATIONS,
        ),
        "links": ("a", "b", "light_time"),
        "points": ("link", "period", "cycle", "born_a", "born_b", "heard_a", "heard_b", "outcomes", "first_outcome"),
        "labels": ("label",),
        "outcomes": ("cumulative",),
    }
)  # fmt: skip
"""Tables of a plant. ``outcomes`` has the columns `PREPARED` of the scenario's states besides.

Rates of ``node_noise`` are per picosecond, ``retrieval_lifetime`` is in seconds.

A row of ``points`` is a link at one setting of its knob, shared by so many lanes; its heralds are rows of ``labels`` and ``outcomes``.
"""

PREPARED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "bell-diagonal": ("x", "y", "z"),
        "x": ("zi", "iz", "zz", "xx", "xy", "yx", "yy"),
        "exact": tuple(first + second for first in "ixyz" for second in "ixyz"),
    }
)
"""What a herald prepares, by the name of the representation: correlators relative to the announced label, or mean values of Pauli
operators at (a, b), which are not relative to it."""

RULES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "circuits": (
            "node", "swaps", "lefts_from", "lefts_to", "rights_from", "rights_to", "delivers_with", "holds", "cutoff",
            "retention", "qubits", "purifications", "choice",
        ),
        "circuit_noise": OPERATIONS,
        "qubits": ("slot", "link", "lane", "point", "to_the_right", "neighbour", "circuit"),
        "qubit_beliefs": ("x", "y", "z", *(f"own_{each}" for each in _DECAY), *(f"far_{each}" for each in _DECAY)),
        "purify": ("circuit", "partner", "rounds", "bbpssw", "initiator", "pumped", "rotations", "first_rotation"),
        "purify_noise": OPERATIONS,
        "rotations": ("rotation",),
        "home": ("from_controller", "to_controller"),
    }
)  # fmt: skip
"""Tables of an installation: the rules of one plan at the nodes of its path, which are called by their position along it.

Besides these it has ``delays`` (one row and column for each node of the path) or, where delays add up along the path, ``along`` (time
of light from its first node). Believed rates are per second.
"""


@dataclass(frozen=True, slots=True)
class Session:
    """A request whose plan is known.

    Attributes:
        request: its name.
        installation: which of the scenario's.
        at: when it is asked, ps.
        pairs: how many.
        floor: least fidelity that the controller may believe a delivered pair to have.
        deadline: ps; None for none.
    """

    request: str
    installation: int
    at: Time
    pairs: int
    floor: float
    deadline: Time | None = None


@dataclass(frozen=True)
class Scenario:
    """Plant, installed rules and sessions.

    Attributes:
        plant: tables by name, see `PLANT`.
        installations: tables of each, see `RULES`.
        sessions: in the order in which they are asked.
        states: how the states of pairs are kept.
        refusals: requests that admission refused, by name, with the reason; they take no part.
    """

    plant: Tables
    installations: tuple[Tables, ...]
    sessions: tuple[Session, ...]
    states: str = "bell-diagonal"
    refusals: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for tables in (self.plant, *self.installations):
            for table in tables.values():
                if isinstance(table, np.ndarray):
                    table.setflags(write=False)

    @cached_property
    def digest(self) -> str:
        """Hash of everything that a run depends on besides seed and replica: 32 hexadecimal digits."""
        whole = blake2b(digest_size=16)
        for tables in (self.plant, *self.installations):
            for name in sorted(tables):
                table = tables[name]
                whole.update(f"\n{name}:".encode())
                if isinstance(table, np.ndarray):
                    whole.update(f"{table.dtype}{table.shape}".encode())
                    whole.update(np.ascontiguousarray(table).tobytes())
                else:
                    whole.update("\0".join(table).encode())
        whole.update(repr((self.sessions, self.states)).encode())
        return whole.hexdigest()

    def __repr__(self) -> str:
        counts = f"{len(self.plant['nodes'])} nodes, {len(self.sessions)} sessions"
        return f"Scenario({counts}, {self.states}, {self.digest[:8]})"


def integers(rows: list[Any], columns: int) -> Integers:
    """A table of integers, which may have no rows.

    Examples:
        >>> integers([], 3).shape
        (0, 3)
    """
    return np.array(rows, dtype=np.int64).reshape(len(rows), columns)


def reals(rows: list[Any], columns: int) -> Reals:
    """A table of floats, which may have no rows.

    Examples:
        >>> reals([(1, 2)], 2).dtype.name
        'float64'
    """
    return np.array(rows, dtype=np.float64).reshape(len(rows), columns)
