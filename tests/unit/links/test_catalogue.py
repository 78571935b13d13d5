"""One builder for every architecture."""

from __future__ import annotations

import pytest

from quantum_fabric.devices import sheet, sheets
from quantum_fabric.errors import QuantityError, UnknownNameError
from quantum_fabric.links import CATALOGUE, LinkModel, build

FUTURE = sheet("node", "future").build_override({"cavity.bright": "90 %", "memory.modes": "10"})


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_builder_passes_every_part_on(name: str) -> None:
    lights = {
        "midpoint_source": ("source", "spdc"),
        "pair_distribution": ("pair_source", "sagnac-cw"),
        "direct_transmission": ("weak_pulse", "gigahertz"),
        "satellite_double_downlink": ("pair_source", "sagnac-cw"),
    }
    source = sheet(*lights[name]) if name in lights else None
    carrier, arms = sheet("fibre", "ull"), (10_000.0, 20_000.0)
    losses = 0.17 * 30
    if "satellite" in CATALOGUE[name].needs:
        carrier, arms = sheet("satellite", "future-leo"), (600e3, 900e3)
        losses = sum(carrier.loss(distance) for distance in arms)
    link: LinkModel = build(
        name,
        FUTURE,
        FUTURE,
        carrier,
        arms,
        sheet("detector", "snspd-future"),
        source,
        modes=3,
        extra_loss=(1.0, 2.0),
    )
    assert link.architecture == name
    assert link.total_transmission() == pytest.approx(10 ** (-(losses + 3.0) / 10))


def test_unknown_architecture() -> None:
    with pytest.raises(
        UnknownNameError, match="expected one of single_click, double_click, midpoint_source, sender_receiver"
    ):
        build("single-click", FUTURE, FUTURE, sheet("fibre", "ull"), (0.0, 0.0))


def test_missing_parts() -> None:
    with pytest.raises(QuantityError, match="source: found nothing"):
        build("midpoint_source", FUTURE, FUTURE, sheet("fibre", "ull"), (0.0, 0.0))
    ion = sheet("node", "trapped-ion")
    with pytest.raises(QuantityError, match=r"b\.interface\.capture"):
        build("sender_receiver", ion, ion, sheet("fibre", "ull"), (0.0, 0.0))


def test_every_architecture_but_the_fixed_one_is_listed_under_its_own_name() -> None:
    assert "fixed" not in CATALOGUE
    assert all(name == record.name for name, record in CATALOGUE.items())


@pytest.mark.parametrize("name", sheets("profile"))
def test_every_profile_makes_a_link(name: str) -> None:
    profile = sheet("profile", name)
    node = sheet("node", profile.node)
    fibre, detector = sheet("fibre", profile.fibre), sheet("detector", profile.detector)
    source = sheet("source", profile.source) if profile.source else None
    link = build(
        profile.architecture, node, node, fibre, (12_500.0, 12_500.0), detector, source, profile.modes
    )
    assert 0.5 < link.heralding().fidelity <= 1.0


def _at_25_km(name: str) -> tuple[float, float]:
    profile = sheet("profile", name)
    node = sheet("node", profile.node)
    fibre, detector = sheet("fibre", profile.fibre), sheet("detector", profile.detector)
    point = build(profile.architecture, node, node, fibre, (12_500.0, 12_500.0), detector).heralding()
    return point.fidelity, point.success / point.period * 1e12


def test_profiles_are_a_ladder() -> None:
    """What can be planned on each: today no chain at all, lab-best a city, future hundreds of kilometres."""
    ladder = [_at_25_km(name) for name in ("today", "lab-best", "future")]
    fidelities, rates = zip(*ladder, strict=True)
    assert list(fidelities) == sorted(fidelities)
    assert list(rates) == sorted(rates)
    assert fidelities[0] < 0.85
    assert rates[0] < 1.0
    assert fidelities[1] > 0.95
    assert rates[1] > 10.0
    assert fidelities[2] > 0.98
    assert rates[2] > 100.0
