"""Fixtures that more than one room's tests use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from quantum_fabric.messages import Plan, Refused


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Make every controller use a given plan, or a function of (topology, request, free), instead of planning."""

    def use(answer: Plan | Refused | Callable[..., Plan | Refused]) -> None:
        def make_plan(
            topology: Any, request: Any, free: Mapping[str, int] | None = None, **_: Any
        ) -> Plan | Refused:
            return answer(topology, request, free) if callable(answer) else answer

        monkeypatch.setattr("quantum_fabric.control.controller.make_plan", make_plan)

    return use
