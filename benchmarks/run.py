"""One run of the benchmarks: what every measurement is told, and tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Run:
    """One run of the benchmarks.

    Attributes:
        quick: fewer pairs and one repetition: to see that it works, not how fast it is.
        progress: told what is measured next.
        profile: the profile of the event path, where it was made.
        notes: for below the table.
    """

    quick: bool = False
    progress: Callable[[str], None] = print
    profile: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def repetitions(self) -> int:
        """How often everything is measured; medians count."""
        return 1 if self.quick else 3

    def note(self, text: str) -> None:
        """Say something below the table, once."""
        if text not in self.notes:
            self.notes.append(text)
