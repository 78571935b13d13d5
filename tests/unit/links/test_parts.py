"""Parts that fit together, and parts that do not."""

from __future__ import annotations

import dataclasses
import math

import pytest

from quantum_fabric.devices import Detector, Fibre, Node, Source, sheet
from quantum_fabric.errors import QuantityError
from quantum_fabric.links import Parts
from quantum_fabric.links.parts import bell_diagonal

NODE = Node()
FIBRE = Fibre(attenuation=0.2e-3, fixed_loss=1.0, band_low=1.5e-6, band_high=1.6e-6)


def test_transmissions_multiply() -> None:
    parts = Parts(NODE, NODE, FIBRE, (10_000.0, 20_000.0), extra_loss=(0.0, 3.0))
    assert parts.transmission(0) == pytest.approx(10**-0.3)
    assert parts.transmission(1) == pytest.approx(10**-0.8)
    assert parts.total_transmission() == pytest.approx(10**-1.1)
    assert parts.latency(1) == FIBRE.latency(20_000.0)


def test_the_slower_node_sets_the_cycle() -> None:
    slow = NODE.build_override({"interface.cycle": "5 us"})
    assert Parts(NODE, slow, FIBRE, (0.0, 0.0)).local_cycle == 5_000_000


def test_local_errors_are_white_at_both_ends() -> None:
    noisy = NODE.build_override({"interface.spin_photon_fidelity": "85 %"})
    assert Parts(noisy, noisy, FIBRE, (0.0, 0.0)).local_errors == pytest.approx((0.64, 0.64, 0.64))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"arms": (-1.0, 0.0)}, "arm a"),
        ({"arms": (0.0, math.nan)}, "arm b"),
        ({"arms": (0.0, math.inf)}, "arm b"),
        ({"extra_loss": (0.0, -1.0)}, "extra loss of arm b"),
        ({"modes": 0}, "modes"),
        ({"b": NODE.build_override({"interface.wavelength": "1540 nm"})}, "b.interface.wavelength"),
        ({"a": NODE.build_override({"interface.wavelength": "637 nm"})}, "a.interface.wavelength"),
        ({"source": Source(pair_probability=0.1, wavelength=1.56e-6)}, "source.wavelength"),
        ({"source": Source(pair_probability=0.1, wavelength=810e-9)}, "source.wavelength"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, object], where: str) -> None:
    good = Parts(NODE, NODE, FIBRE, (1.0, 1.0), Detector())
    with pytest.raises(QuantityError) as caught:
        dataclasses.replace(good, **change)  # type: ignore[arg-type]
    assert caught.value.where == where


def test_visible_photons_do_not_go_into_telecom_fibre() -> None:
    node = sheet("node", "nv-electron")
    with pytest.raises(
        QuantityError, match="found 637 nm, expected 1500 nm to 1625 nm, the band of the fibre"
    ):
        Parts(node, node, sheet("fibre", "smf-28"), (1.0, 1.0))


def test_rounding_leaves_no_negative_weight() -> None:
    weights = bell_diagonal((1.0, 1.0 - 1e-16, 1.0 - 1e-16))
    assert min(weights) >= 0.0
    assert math.fsum(weights) == pytest.approx(1.0, abs=1e-15)
