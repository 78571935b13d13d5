"""One name in a certificate, or nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.errors import InputError
from quantum_fabric.keys.records import entity
from quantum_fabric.server.identity import Credentials, Naming, calling, listening, name_in, uri
from quantum_fabric.server.running import trial


def named(*uris: str, common: tuple[str, ...] = ()) -> dict[str, Any]:
    subject = tuple((("commonName", name),) for name in common)
    return {"subject": subject, "subjectAltName": (("DNS", "x"), *(("URI", one) for one in uris))}


@given(st.from_regex(r"[A-Za-z0-9\-._~!$&'()*+,;=:@%/]{1,64}", fullmatch=True))
def test_every_name_goes_there_and_back(name: str) -> None:
    assert entity(name, "SAE") == name
    assert name_in(named(uri("sae", name)), "sae") == name
    assert name_in(named(uri("sae", name)), "kme") is None


@pytest.mark.parametrize(
    "certificate",
    [
        None,
        {},
        named(),
        named("qkd://sae/"),
        named("qkd://sae/a", "qkd://sae/b"),
        named("qkd://sae/a", "https://elsewhere"),
        named("https://sae/a"),
        named("QKD://sae/a"),
        named("qkd://sae/a%20b"),
        named("qkd://sae/" + "x" * 65),
        named(common=("alice",)),
    ],
)
def test_nobody(certificate: dict[str, Any] | None) -> None:
    assert name_in(certificate, "sae") is None


def test_common_names_by_setting_only() -> None:
    assert name_in(named(common=("alice",)), "sae", Naming.COMMON_NAME) == "alice"
    assert name_in(named(common=("alice", "bob")), "sae", Naming.COMMON_NAME) is None
    assert name_in(named("qkd://sae/alice"), "sae", Naming.COMMON_NAME) is None


def test_a_private_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    trial(folder, {"kme-a": ["alice", "bob"]}, 0)
    files = Credentials(folder / "kme-kme-a.pem", folder / "kme-kme-a.key", folder / "trial-ca-of-saes.pem")
    listening(files)
    calling(files)
    files.key.chmod(0o644)
    for make in (listening, calling):
        with pytest.raises(InputError, match="nobody else"):
            make(files)
