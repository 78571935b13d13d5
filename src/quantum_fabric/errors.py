"""The tree of faults.

A *fault* is something a caller or a document did wrong, or something that must never happen; it is raised.
A *refusal* (the network cannot do what was asked) is a value, `quantum_fabric.messages.Refused`, and is returned.
A *caution* (a model was used outside its validity) is a value too, `Caution`, and travels with the result.

::

    FabricError
    ├── InputError            what the user gave cannot be used (exit code 2)
    │   ├── QuantityError     a number, unit or range
    │   ├── DocumentError     a document: has file, line, field, found, expected
    │   └── UnknownNameError  a name that is not in a catalogue or a network
    ├── StateError            an operation at the wrong moment (a closed link, a consumed pair)
    ├── CausalityError        something was scheduled in the past or faster than light
    ├── ProtocolError         an illegal move of a state machine: a bug on one side of the seam
    └── JournalError          a journal that cannot be read or does not replay
"""

from __future__ import annotations

from dataclasses import dataclass


class FabricError(Exception):
    """Root of every exception that Quantum Fabric raises on purpose."""


class InputError(FabricError, ValueError):
    """What the user gave cannot be used.

    Args:
        found: what was there.
        expected: what would have been right.
        where: a place in words (``"argument fidelity"``); empty where the caller knows it.

    Examples:
        >>> str(InputError(found="1.2", expected="a fidelity in (0.5, 1)", where="fidelity"))
        'fidelity: found 1.2, expected a fidelity in (0.5, 1)'
    """

    def __init__(self, found: str, expected: str, where: str = "") -> None:
        self.found = found
        self.expected = expected
        self.where = where
        super().__init__(
            f"{where}: found {found}, expected {expected}" if where else f"found {found}, expected {expected}"
        )

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by what it was made of, so that a worker process can hand it back."""
        return (type(self), (self.found, self.expected, self.where))


class QuantityError(InputError):
    """A number, a unit or a range is wrong."""


class UnknownNameError(InputError):
    """A name is in no catalogue and no network."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong in a document.

    Attributes:
        file: the document's path or name.
        line: one-based line number, 0 where there is none (a file that is too large).
        field: dotted path such as ``links[3].length``.
        found: what was there.
        expected: what would have been right.
    """

    file: str
    line: int
    field: str
    found: str
    expected: str

    def __str__(self) -> str:
        """One line, in the order in which an editor can jump to it."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        field = f"{self.field}: " if self.field else ""
        return f"{place}: {field}found {self.found}, expected {self.expected}"


class DocumentError(InputError):
    """A document is wrong; `findings` holds every fault that was seen, in the order of the file.

    Examples:
        >>> error = DocumentError([Finding("net.yaml", 7, "links[0].length", "'-3 km'", "a length above 0")])
        >>> print(error)
        net.yaml:7: links[0].length: found '-3 km', expected a length above 0
    """

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = tuple(findings)
        first = self.findings[0]
        super().__init__(first.found, first.expected, first.field)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by its findings."""
        return (type(self), (list(self.findings),))

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings))


@dataclass(frozen=True, slots=True)
class Caution:
    """A model was used outside its validity: no fault, but never silent. A value that travels with the result.

    Attributes:
        where: which quantity of which model (``"source.mean_pairs"``).
        found: its value, with unit.
        limit: up to where the model holds.
        effect: what is wrong beyond it, and by about how much.

    Examples:
        >>> print(Caution("source.mean_pairs", "0.4", "at most 0.1", "three-pair terms are dropped"))
        source.mean_pairs: 0.4 is outside the model's validity (at most 0.1): three-pair terms are dropped
    """

    where: str
    found: str
    limit: str
    effect: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.where}: {self.found} is outside the model's validity ({self.limit}): {self.effect}"


class StateError(FabricError, RuntimeError):
    """An operation came at the wrong moment."""


class CausalityError(FabricError, RuntimeError):
    """Something was to happen in the past, or faster than light."""


class ProtocolError(FabricError, RuntimeError):
    """A state machine was asked for an illegal move; nothing was changed."""


class JournalError(FabricError, ValueError):
    """A journal cannot be read, or its replay differs."""
