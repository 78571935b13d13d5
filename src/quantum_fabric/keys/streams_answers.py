"""What the rules of key streams answer: final (`Opened`, `Given`, `Refused`), or what to wait for (`Wait`, `Elsewhere`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from quantum_fabric.keys.answers import Grant
from quantum_fabric.keys.records import Instant, Provenance
from quantum_fabric.keys.streams import NOBODY, Code, Quality, Stream


@dataclass(frozen=True, slots=True)
class Opened:
    """The stream is there for this end.

    Attributes:
        code: `Code.SUCCESSFUL`, or `Code.PEER_ABSENT`.
        stream: as it stands now.
    """

    code: Code
    stream: Stream


@dataclass(frozen=True, slots=True)
class Given:
    """One chunk.

    Attributes:
        index: where it stands in the stream.
        grant: the key; spent, whether it arrives or not.
        provenance: of its bits.
        age: since it was cut, in ms.
    """

    index: int
    grant: Grant
    provenance: Provenance
    age: Instant


@dataclass(frozen=True, slots=True)
class Refused:
    """No, and waiting will not help.

    Attributes:
        code: of the standard.
        why: for people.
        quality: what could be met instead, for `Code.QUALITY`.
        needed: characters of metadata, for `Code.METADATA`.
    """

    code: Code
    why: str
    quality: Quality | None = None
    needed: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now.

    Attributes:
        code: what to answer where nobody waits.
        why: for people.
        index: which chunk it will be; None where that is open.
    """

    code: Code
    why: str
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The home of the stream must be asked.

    Attributes:
        kme: the home.
        incarnation: of the stream; the all-zero one where only the home knows it.
        index: the chunk, or where to begin to look for one.
    """

    kme: str
    incarnation: UUID = NOBODY
    index: int = 0


Fits = Callable[[Provenance, Instant], int]
"""How many characters too long the metadata of a chunk would be, and 0 where it fits: of its provenance and age."""
