"""Drift and calibration as documents say it."""

from __future__ import annotations

from typing import Any

import pytest

from quantum_fabric import documents
from quantum_fabric.devices import sheet
from quantum_fabric.errors import DocumentError
from quantum_fabric.links.upkeep import NO_UPKEEP, Calibrations, Residual, Upkeep
from quantum_fabric.physics.drift import Magnitudes
from quantum_fabric.units import SECOND, parse

GLASS = sheet("fibre", "smf-28")
BOTH = tuple(GLASS.polarisation_wander(5000.0) for _ in "ab")


def written(defaults: Any = None, **link: Any) -> dict[str, Any]:
    base = {"node": "lab-best", "fibre": "smf-28", "detector": "snspd", "architecture": "single_click"}
    return {
        "kind": "network", "version": 1, "defaults": {**base, **(defaults or {})},
        "nodes": [{"name": "A"}, {"name": "B"}], "links": [{"between": ["A", "B"], "length": "10 km", **link}],
    }  # fmt: skip


def upkeep_of(defaults: Any = None, **link: Any) -> Upkeep:
    return documents.inventory(documents.network_from(written(defaults, **link))).links["A~B"].upkeep


def test_without_a_word_a_link_is_held() -> None:
    assert upkeep_of() is NO_UPKEEP or upkeep_of() == NO_UPKEEP


def test_drift_by_the_sheets_holds_the_phase_unless_it_is_let_go() -> None:
    plain = upkeep_of(drift="sheet")
    assert plain.wander == Magnitudes(polarisation=BOTH, pointing=plain.wander.pointing)
    assert plain.step is not None
    assert upkeep_of(drift={}) == plain == upkeep_of({"drift": {}})
    free = upkeep_of(drift={"phase": "sheet"})
    assert free.wander.phase == pytest.approx(GLASS.phase_wander(10_000.0))
    assert free.step == SECOND // 1000
    assert free.cautions()


def test_held_is_held() -> None:
    assert upkeep_of({"drift": {}}, drift="held") == NO_UPKEEP
    four = dict.fromkeys(("phase", "polarisation", "alignment", "detectors"), "held")
    assert upkeep_of(drift=four) == NO_UPKEEP


def test_numbers_stand_for_both_arms() -> None:
    found = upkeep_of(
        drift={
            "phase": "2 deg/sqrt(s)",
            "polarisation": "1 deg/sqrt(h)",
            "alignment": 0.001,
            "detectors": "1 %/h",
            "step": "3 s",
        }
    )
    turn = parse("1 deg/sqrt(h)", "wander")
    assert found.wander == Magnitudes(
        parse("2 deg/sqrt(s)", "wander"), (turn, turn), (0.001, 0.001), parse("1 %/h", "drift")
    )
    assert found.step == 3 * SECOND


def test_the_age_of_detectors_is_on_their_sheet() -> None:
    old = {"sheet": "snspd", "overrides": {"ageing": "2 %/d"}}
    assert upkeep_of({"detector": old, "drift": {}}).wander.detectors == pytest.approx(0.02 / 86400)


def test_a_schedule() -> None:
    found = upkeep_of(
        calibration={
            "every": "10 min",
            "takes": "5 s",
            "first": "2 min",
            "residual": {"phase": "2 deg", "polarisation": "1 deg", "alignment": 0.02},
        }
    )
    left = Residual(parse("2 deg", "angle"), parse("1 deg", "angle"), 0.02)
    assert found == Upkeep(calibrations=Calibrations(5 * SECOND, 600 * SECOND, 120 * SECOND, left))


def test_a_link_goes_its_own_way() -> None:
    defaults = {"drift": {"phase": "1 deg/sqrt(s)"}, "calibration": {"takes": "5 s"}}
    own = upkeep_of(defaults, calibration={"takes": "9 s"})
    assert own.calibrations == Calibrations(9 * SECOND)
    assert own.wander.phase > 0.0
    assert upkeep_of(defaults, drift={"phase": "held"}).wander.phase == 0.0


@pytest.mark.parametrize(
    "drift", ["sheet", "held", {}, {"phase": "1 deg/sqrt(s)", "alignment": 0.1}, {"detectors": "1 %/d"}]
)
def test_documents_come_back_as_they_were(drift: Any) -> None:
    network = documents.network_from(written(drift=drift, calibration={"takes": "5 s"}))
    again = documents.network_from(network.plain())
    assert again == network
    one, two = (documents.inventory(each).links["A~B"].upkeep for each in (network, again))
    assert one == two


def test_a_step_that_is_too_long_is_a_caution_of_the_network() -> None:
    network = documents.network_from(written(drift={"phase": "sheet"}))
    [caution] = documents.inventory(network).cautions
    assert caution.where == "A~B.drift"
    assert "rms phase in a step of 1 ms" in caution.found


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ({"drift": {"phase": "3 s"}}, "links[0].drift.phase: found '3 s', expected a wander"),
        ({"drift": {"phase": "-1 deg/sqrt(s)"}}, "or held (by a servo), or sheet (as the data sheets say)"),
        ({"drift": {"detectors": "1 h"}}, "links[0].drift.detectors"),
        ({"drift": {"alignment": -0.1}}, "found -0.1, expected a number of mode radii per sqrt(s) of at least 0"),
        ({"drift": {"alignment": True}}, "links[0].drift.alignment"),
        ({"drift": {"pase": "held"}}, "did you mean 'phase'?"),
        ({"drift": "free"}, "links[0].drift"),
        ({"drift": {"step": "0 s"}}, "expected a time above 0"),
        ({"calibration": {}}, "takes: for how long the link attempts nothing"),
        ({"calibration": {"takes": "5 s", "every": "5 s"}}, "expected a time above that of one calibration, 5 s"),
        ({"calibration": {"takes": "5 s", "first": "5 s"}}, "found first without every"),
        ({"calibration": {"takes": "0 s"}}, "expected a time above 0"),
        ({"calibration": {"takes": "1 s", "residual": {"phase": "-1 deg"}}}, "an rms angle of at least 0"),
        ({"calibration": {"takes": "1 s", "residual": {"alignment": -1.0}}}, "residual.alignment"),
    ],
)  # fmt: skip
def test_what_is_refused(link: dict[str, Any], said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        documents.network_from(written(**link))
    assert said in str(caught.value)


def workload(**fault: Any) -> documents.Workload:
    return documents.workload_from(
        {"kind": "workload", "version": 1, "duration": "5 s", "faults": [{"at": "1 s", **fault}]}
    )


def test_only_links_that_can_be_calibrated_are() -> None:
    can = documents.inventory(documents.network_from(written(calibration={"takes": "1 s"})))
    cannot = documents.inventory(documents.network_from(written()))
    asked = workload(calibrate="A~B")
    assert [(fault.kind, fault.target) for fault in asked.faults] == [(documents.FaultKind.CALIBRATE, "A~B")]
    documents.check_workload(asked, can)
    with pytest.raises(
        DocumentError, match=r"faults\[0\].calibrate: found 'A~B', expected a link with 'calibration:"
    ):
        documents.check_workload(asked, cannot)
    with pytest.raises(DocumentError, match="did you mean 'A~B'"):
        documents.check_workload(workload(calibrate="A~C"), can)


def test_a_link_may_be_calibrated_while_it_is_cut_and_again() -> None:
    can = documents.inventory(documents.network_from(written(calibration={"takes": "1 s"})))
    faults = [
        {"at": "1 s", "calibrate": "A~B"},
        {"at": "2 s", "cut": "A~B"},
        {"at": "3 s", "calibrate": "A~B"},
    ]
    many = documents.workload_from({"kind": "workload", "version": 1, "duration": "5 s", "faults": faults})
    documents.check_workload(many, can)


def test_editors_know_the_short_words() -> None:
    for record in ("LinkDocument", "Defaults"):
        options = documents.json_schema("network")["$defs"][record]["properties"]["drift"]["anyOf"]
        assert {"type": "string", "enum": ["held", "sheet"]} in options
        assert {"$ref": "#/$defs/DriftEntry"} in options
