"""schemathesis against the form in which ETSI GS QKD 004 is spoken here: every answer has its shape, and none is a fault."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("schemathesis")

import schemathesis
from hypothesis import HealthCheck, settings
from ruamel.yaml import YAML

from keyserver import Client, Server, serving

SCHEMA = YAML(typ="safe").load((files("quantum_fabric.server") / "etsi004.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Server, str]]:
    """A server, and a stream that is open at both ends."""
    folder = tmp_path_factory.mktemp("fuzz") / "x"
    with serving(folder, {"kme-a": ["alice", "bob"]}) as server:
        yield folder, server, opened(folder, server)


def opened(folder: Path, server: Server) -> str:
    stream: str | None = None
    for sae in ("alice", "bob"):
        client = Client(folder, server.kmes[0].sae_door.port, f"sae-{sae}")
        body = {"source": "alice", "destination": "bob", "key_stream_id": stream}
        stream = client.send("POST", "/api/v1/etsi004/open-connect", body)[1]["key_stream_id"]
        client.close()
    assert stream is not None
    return stream


schema = schemathesis.openapi.from_dict(SCHEMA)


@schema.parametrize()
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_of_the_standards(
    case: schemathesis.Case, trial: tuple[Path, Server, str]
) -> None:
    folder, server, stream = trial
    body: Any = case.body
    if isinstance(body, dict) and len(str(body)) % 2:  # half of the calls go further than the names
        if case.path.endswith("open-connect"):
            body |= {"source": "alice", "destination": "bob"}
        elif case.path.endswith("get-key") and "key_stream_id" in body:
            body |= {"key_stream_id": stream}
    answer = case.call(
        base_url=f"https://localhost:{server.kmes[0].sae_door.port}",
        cert=(str(folder / "sae-alice.pem"), str(folder / "sae-alice.key")),
        verify=str(folder / "trial-ca-of-kmes.pem"),
    )
    assert answer.status_code in (200, 400, 401, 405), (answer.status_code, answer.text[:200])
    if answer.status_code != 405:
        case.validate_response(answer, checks=CHECKS)


CHECKS = [
    schemathesis.specs.openapi.checks.response_schema_conformance,
    schemathesis.specs.openapi.checks.content_type_conformance,
    schemathesis.specs.openapi.checks.status_code_conformance,
]
