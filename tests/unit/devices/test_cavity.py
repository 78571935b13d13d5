"""Cavity records."""

from __future__ import annotations

import math

import pytest

from quantum_fabric.devices import Cavity, Node
from quantum_fabric.errors import QuantityError


def test_a_node_has_no_cavity_unless_it_says_so() -> None:
    assert Node().cavity.bright == 0.0
    assert Node().build_override(
        {"cavity.bright": "90 %", "cavity.dark": "3 %"}
    ).cavity.contrast == pytest.approx(30)
    assert math.isinf(Cavity(bright=0.5).contrast)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [({"bright": 1.2}, "bright"), ({"bright": 0.1, "dark": 0.2}, "dark"), ({"insertion": 0.0}, "insertion"),
     ({"mean_photons": 2.0}, "mean_photons")],
)  # fmt: skip
def test_domains(wrong: dict[str, float], where: str) -> None:
    with pytest.raises(QuantityError, match=where):
        Cavity(**wrong)
