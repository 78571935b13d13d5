"""Sheets of single-photon emitters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.devices import Emitter, build, sheet
from quantum_fabric.errors import QuantityError


@given(st.floats(0.01, 1.0), st.floats(0.0, 0.5))
def test_numbers_follow_brightness_and_g2(brightness: float, g2: float) -> None:
    few = Emitter(brightness=brightness, g2=g2).photons
    assert min(few.none, few.one, few.two) >= -1e-15
    assert few.one + few.two == pytest.approx(brightness)
    assert few.g2 == pytest.approx(g2, abs=1e-12)


def test_indistinguishability_is_dephasing_times_overlap() -> None:
    emitter = Emitter(lifetime=1e-9, coherence=1e-9, overlap=0.9, g2=0.1)
    assert emitter.indistinguishability == pytest.approx(0.45)
    assert emitter.visibility == pytest.approx(0.45 / 1.1)


def test_reading() -> None:
    made = build(Emitter, {"brightness": "71 %", "g2": "0.02", "lifetime": "100 ps", "coherence": "196 ps"})
    assert made.indistinguishability == pytest.approx(0.98)
    assert sheet("emitter", "quantum-dot").indistinguishability == pytest.approx(0.98)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"brightness": 0.0}, "^brightness: found"),
        ({"g2": -0.1}, "^g2: found"),
        ({"g2": 0.8}, r"^g2: found 0\.8, expected at most 0\.5 for at most two photons"),
        ({"lifetime": 1e-9, "coherence": 2.1e-9}, r"^coherence: found 2\.1 ns, expected at most 2 ns"),
        ({"overlap": 1.1}, "^overlap: found"),
        ({"state_error": 0.6}, "^state_error: found"),
    ],
)
def test_domains(fields: dict[str, float], message: str) -> None:
    with pytest.raises(QuantityError, match=message):
        Emitter(**fields)  # type: ignore[arg-type]
