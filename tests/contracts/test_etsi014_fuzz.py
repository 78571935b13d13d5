"""schemathesis against the published form of ETSI GS QKD 014: every answer has the standard's shape, and none is a fault."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("schemathesis")

import schemathesis
from hypothesis import HealthCheck, settings
from ruamel.yaml import YAML

from keyserver import Server, serving

SCHEMA = YAML(typ="safe").load((files("quantum_fabric.server") / "etsi014.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Server]]:
    folder = tmp_path_factory.mktemp("fuzz") / "x"
    with serving(folder, {"kme-a": ["alice", "bob"]}) as server:
        yield folder, server


schema = schemathesis.openapi.from_dict(SCHEMA)


@schema.parametrize()
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_of_the_standards(case: schemathesis.Case, trial: tuple[Path, Server]) -> None:
    folder, server = trial
    for name in ("slave_SAE_ID", "master_SAE_ID"):
        if name in case.path_parameters and len(case.path_parameters[name]) % 2:
            case.path_parameters[name] = "bob"  # half of the calls go further than the name
    answer = case.call(
        base_url=f"https://localhost:{server.kmes[0].sae_door.port}",
        cert=(str(folder / "sae-alice.pem"), str(folder / "sae-alice.key")),
        verify=str(folder / "trial-ca-of-kmes.pem"),
    )
    dry = (
        answer.status_code == 503 and "not enough key material" in answer.text
    )  # the standard's own, once the stock is spent
    assert dry or answer.status_code in (200, 400, 401, 404, 405), (answer.status_code, answer.text[:200])
    if answer.status_code != 405:
        case.validate_response(answer, checks=CHECKS)


CHECKS = [
    schemathesis.specs.openapi.checks.response_schema_conformance,
    schemathesis.specs.openapi.checks.content_type_conformance,
    schemathesis.specs.openapi.checks.status_code_conformance,
]
