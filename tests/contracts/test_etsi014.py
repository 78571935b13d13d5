"""ETSI GS QKD 014 V1.1.1 over real mutual TLS: what a caller gets who holds only the standard and a certificate."""

from __future__ import annotations

import base64
import http.client
import logging
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("aiohttp")

from keyserver import STOCK, Client, Server, serving, small
from quantum_fabric.keys import Limits
from quantum_fabric.server import door
from quantum_fabric.server.settings import LimitSettings, PairSettings
from quantum_fabric.server.trial_pki import Authority, authority

NOT_FOUND = "one or more keys specified are not found on KME"
ODD = "anna@bank/1:x"
"""A name with everything in it that a path must encode."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trial")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    saes = ["alice", "bob", "carol", ODD]
    pairs = [PairSettings(master=a, slave=b) for a in saes for b in saes if a != b and "carol" not in (a,)]
    with serving(
        folder, {"kme-a": saes}, pairs=pairs, limits=LimitSettings(slaves=2), health_port=0
    ) as running:
        yield running


@pytest.fixture
def call(folder: Path, server: Server) -> Iterator[Any]:
    opened: list[Client] = []

    def client(certificate: str | None, **tls: Any) -> Client:
        opened.append(Client(folder, server.kmes[0].sae_door.port, certificate, **tls))
        return opened[-1]

    yield client
    for one in opened:
        one.close()


def keys(answer: tuple[int, Any]) -> dict[str, bytes]:
    status, body = answer
    assert status == 200, body
    return {one["key_ID"]: base64.b64decode(one["key"], validate=True) for one in body["keys"]}


# ------------------------------------------------------------------------------------------------ the methods


def test_status_has_every_field_of_the_standard(call: Any) -> None:
    status, body = call("sae-alice").get("bob/status")
    assert status == 200
    stored = body.pop("stored_key_count")
    assert 0 < stored <= STOCK * 8 // 256
    assert body == {
        "source_KME_ID": "kme-a", "target_KME_ID": "kme-a", "master_SAE_ID": "alice", "slave_SAE_ID": "bob",
        "key_size": 256, "max_key_count": 1_000_000, "max_key_per_request": 128, "max_key_size": 8192,
        "min_key_size": 64, "max_SAE_ID_count": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ask", "number", "octets"),
    [
        (lambda client: client.get("bob/enc_keys"), 1, 32),
        (lambda client: client.get("bob/enc_keys?number=3"), 3, 32),
        (lambda client: client.get("bob/enc_keys?size=128&number=2"), 2, 16),
        (lambda client: client.post("bob/enc_keys", {}), 1, 32),
        (lambda client: client.post("bob/enc_keys", b""), 1, 32),
        (lambda client: client.post("bob/enc_keys", {"number": 128, "size": 64}), 128, 8),
        (
            lambda client: client.post(
                "bob/enc_keys", {"size": 8192, "extension_optional": [{"acme_x": {}}]}
            ),
            1,
            1024,
        ),
    ],
)
def test_get_key_and_get_key_with_ids(call: Any, ask: Any, number: int, octets: int) -> None:
    given = keys(ask(call("sae-alice")))
    assert [len(key) for key in given.values()] == [octets] * number
    assert len(set(given.values())) == number
    bob = call("sae-bob")
    wanted = {"key_IDs": [{"key_ID": one} for one in given]}
    assert keys(bob.post("alice/dec_keys", wanted)) == given
    status, body = bob.post("alice/dec_keys", wanted)
    assert (status, body["message"]) == (400, NOT_FOUND), "each slave gets a key once"
    assert {one["reason"] for one in body["details"]} == {"consumed"}


def test_dec_keys_by_get(call: Any) -> None:
    given = keys(call("sae-alice").get("bob/enc_keys"))
    (key_id,) = given
    assert keys(call("sae-bob").get(f"alice/dec_keys?key_ID={key_id.upper()}")) == given


def test_multicast(call: Any) -> None:
    body = {"additional_slave_SAE_IDs": ["carol", ODD], "number": 2}
    given = keys(call("sae-alice").post("bob/enc_keys", body))
    wanted = {"key_IDs": [{"key_ID": one, "key_ID_extension": {}} for one in given]}
    for certificate in ("sae-bob", "sae-carol", f"sae-{quote(ODD, safe='')}"):
        assert keys(call(certificate).post("alice/dec_keys", wanted)) == given
        assert call(certificate).post("alice/dec_keys", wanted)[0] == 400
    unknown = {"additional_slave_SAE_IDs": ["carol", "dora"]}
    assert call("sae-alice").post("bob/enc_keys", unknown)[0] == 401, "a slave that nobody knows"


def test_names_are_decoded_after_the_path_is_split(call: Any) -> None:
    encoded = quote(ODD, safe="")
    given = keys(call("sae-alice").get(f"{encoded}/enc_keys"))
    (key_id,) = given
    assert keys(call(f"sae-{encoded}").get(f"alice/dec_keys?key_ID={key_id}")) == given
    assert call("sae-alice").get(f"{ODD}/enc_keys")[0] == 404, "a slash that is not encoded parts the path"
    assert call("sae-alice").get(f"{quote(encoded, safe='')}/enc_keys")[0] == 401, "decoded once, not twice"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"size": 7}, "size shall be a multiple of 8"),
        ({"extension_mandatory": [{"acme_x": 1}]}, "not all extension_mandatory parameters are supported"),
        (
            {"extension_mandatory": [{"qfabric_origin": "qkd"}]},
            "not all extension_mandatory request options could be met",
        ),
        ({"size": 0}, "size is out of range"),
        ({"size": 80_000_000_000}, "size is out of range"),
        ({"number": 129}, "number is out of range"),
        ({"number": 0}, "number is out of range"),
        ({"additional_slave_SAE_IDs": ["carol", "carol"]}, "a slave SAE is named twice"),
    ],
)
def test_refusals_in_the_words_of_the_standard(call: Any, body: object, message: str) -> None:
    status, answer = call("sae-alice").post("bob/enc_keys", body)
    assert (status, answer["message"]) == (400, message)


def test_mandatory_extensions_that_are_met(call: Any) -> None:
    body = {"extension_mandatory": [{"qfabric_lifetime_s": 60}, {"qfabric_origin": "test"}]}
    assert len(keys(call("sae-alice").post("bob/enc_keys", body))) == 1


BAD = [
    b"{", b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b'{"number": 1, "number": 2}', b'{"number": NaN}',
    b'{"number": 1e400}', b'{"number": 1.0}', b'{"number": true}', b'{"number": "1"}', b'{"number": null}',
    b'{"size": []}', b'{"size": 1' + b"0" * 30 + b"}", b'{"size": 1' + b"0" * 5000 + b"}", b'{"colour": 1}',
    b'{"additional_slave_SAE_IDs": "carol"}', b'{"additional_slave_SAE_IDs": [7]}',
    b'{"additional_slave_SAE_IDs": [""]}', b'{"additional_slave_SAE_IDs": ["a b"]}',
    b'{"extension_mandatory": {}}', b'{"extension_mandatory": [7]}', b'{"extension_mandatory": [{"": 1}]}',
    b'{"extension_optional": [{"a_b": 1}, {"a_b": 2}]}', b"[" * 100_000, b'{"a":' * 50_000,
    b'{"number": 1}' + b" " * 300_000,
]  # fmt: skip


@pytest.mark.parametrize("body", BAD, ids=range(len(BAD)))
def test_what_is_not_in_the_format(call: Any, body: bytes) -> None:
    client = call("sae-alice")
    status, answer = client.post("bob/enc_keys", body)
    assert status == 400
    assert answer["message"].startswith("bad request format")
    assert client.get("bob/status")[0] == 200, "the next request is served"


@pytest.mark.parametrize(
    "query",
    ["number=x", "number=-1", "number=1&number=2", "number=", "foo=1", "number", "&", "size=99999999999999999999",
     "number=%ff", "extension_mandatory=1"],
)  # fmt: skip
def test_queries_that_are_not_in_the_format(call: Any, query: str) -> None:
    assert call("sae-alice").get(f"bob/enc_keys?{query}")[0] == 400


@pytest.mark.parametrize(
    "body",
    [{}, {"key_IDs": []}, {"key_IDs": ["x"]}, {"key_IDs": {}}, {"key_IDs": [{}]}, {"key_IDs": [{"key_ID": "x"}]},
     {"key_IDs": [{"key_ID": 7}]}, {"key_IDs": [{"key_ID": "550e8400e29b41d4a716446655440000"}]},
     {"key_IDs": [{"key_ID": "550e8400-e29b-41d4-a716-446655440000", "x": 1}]}, {"key_IDs": [], "x": 1}, b""],
)  # fmt: skip
def test_key_ids_that_are_not_in_the_format(call: Any, body: object) -> None:
    status, answer = call("sae-bob").post("alice/dec_keys", body)
    assert status == 400
    assert answer["message"].startswith("bad request format")


def test_unknown_ids_and_batches(call: Any) -> None:
    (good,) = keys(call("sae-alice").get("bob/enc_keys"))
    unknown = "550e8400-e29b-41d4-a716-446655440000"
    bob = call("sae-bob")
    status, answer = bob.post("alice/dec_keys", {"key_IDs": [{"key_ID": good}, {"key_ID": unknown}]})
    assert (status, answer["message"]) == (400, NOT_FOUND)
    assert answer["details"] == [{"key_ID": unknown, "reason": "unknown"}]
    assert bob.get("alice/dec_keys")[0] == 400
    assert bob.get(f"alice/dec_keys?key_ID={good}&key_ID={unknown}")[0] == 400, "one only by GET"
    assert len(keys(bob.get(f"alice/dec_keys?key_ID={good}"))) == 1, "all or nothing: it was nothing"


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["number", "size", "additional_slave_SAE_IDs", "extension_mandatory", "extension_optional", "key_IDs", "key_ID"]
            )
            | st.text(max_size=6),
            inner,
            max_size=4,
        ),
        max_leaves=12,
    )
)  # fmt: skip
def test_any_json_gets_an_answer_of_the_standard(folder: Path, server: Server, body: object) -> None:
    client = Client(folder, server.kmes[0].sae_door.port, "sae-alice")
    try:
        for path in ("bob/enc_keys", "bob/dec_keys"):
            status, answer = client.post(path, body)
            assert status in (200, 400, 401)
            assert "keys" in answer or "message" in answer
    finally:
        client.close()


# -------------------------------------------------------------------------------------------------- identity


def test_another_saes_key(call: Any) -> None:
    (key_id,) = keys(call("sae-alice").get("bob/enc_keys"))
    status, answer = call("sae-carol").get(f"alice/dec_keys?key_ID={key_id}")
    assert (status, answer["message"]) == (401, "this SAE was not named when one of the keys was issued")
    assert call("sae-carol").get("alice/enc_keys")[0] == 401, "carol may be a slave and no master"
    assert call("sae-alice").get(f"bob/dec_keys?key_ID={key_id}")[0] == 401, (
        "the master is no slave of its own"
    )
    assert len(keys(call("sae-bob").get(f"alice/dec_keys?key_ID={key_id}"))) == 1


def test_no_header_says_who_calls(call: Any) -> None:
    (key_id,) = keys(call("sae-alice").get("bob/enc_keys"))
    spoof = {
        "X-SSL-Client-CN": "bob",
        "X-Forwarded-For": "bob",
        "X-Client-Cert": "bob",
        "Authorization": "bob",
    }
    path = f"/api/v1/keys/alice/dec_keys?key_ID={key_id}"
    assert call("sae-carol").send("GET", path, headers=spoof)[0] == 401


def foreign(folder: Path, name: str) -> Authority:
    place = folder / name
    place.mkdir()
    return authority(place, "trial-ca-of-saes")


def refused(folder: Path, port: int, certificate: Path | None, **tls: Any) -> None:
    context = ssl.create_default_context(cafile=str(folder / "trial-ca-of-kmes.pem"))
    for name, value in tls.items():
        setattr(context, name, value)
    if certificate is not None:
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)
    try:
        connection.request("GET", "/api/v1/keys/bob/status")
        pytest.fail(f"it got through: {connection.getresponse().status}")
    except (ssl.SSLError, ConnectionError):
        pass
    finally:
        connection.close()


def test_who_does_not_get_through_tls(folder: Path, server: Server, tmp_path: Path) -> None:
    port = server.kmes[0].sae_door.port
    refused(folder, port, None)
    other = foreign(tmp_path, "foreign")
    refused(folder, port, other.sign("sae", "alice")[0])
    refused(folder, port, folder / "kme-kme-a.pem")


def own(folder: Path, server: Server) -> Authority:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    certificate = x509.load_pem_x509_certificate((folder / "trial-ca-of-saes.pem").read_bytes())
    key = load_pem_private_key((folder / "trial-ca-of-saes.key").read_bytes(), None)
    return Authority(folder, "trial-ca-of-saes", certificate, key)  # type: ignore[arg-type]


def test_certificates_of_the_right_ca_that_are_still_wrong(folder: Path, server: Server, call: Any) -> None:
    ca = own(folder, server)
    expired, _ = ca.sign("sae", "old", lifetime=timedelta(minutes=1), start=timedelta(days=-1))
    refused(folder, server.kmes[0].sae_door.port, expired)
    early, _ = ca.sign("sae", "early", start=timedelta(days=1))
    refused(folder, server.kmes[0].sae_door.port, early)
    for kind, name in (("sae", "stranger"), ("kme", "alice")):
        ca.sign(kind, name)
        status, answer = call(f"{kind}-{name}").get("bob/enc_keys")
        assert (status, answer["message"]) == (401, "the certificate does not name an SAE of this KME")


def test_a_certificate_that_runs_out_while_it_is_connected(folder: Path, server: Server, call: Any) -> None:
    ca = own(folder, server)
    (folder / "sae-bob.pem").rename(folder / "kept.pem")
    (folder / "sae-bob.key").rename(folder / "kept.key")
    try:
        ca.sign("sae", "bob", lifetime=timedelta(minutes=5, seconds=3))  # it began five minutes ago
        client = call("sae-bob")
        assert client.get("alice/status")[0] == 200
        time.sleep(3.5)
        assert client.get("alice/status")[0] == 401, "each request is authenticated"
    finally:
        (folder / "kept.pem").replace(folder / "sae-bob.pem")
        (folder / "kept.key").replace(folder / "sae-bob.key")


def test_versions_of_tls(folder: Path, server: Server, call: Any) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        client = call("sae-alice", minimum_version=version, maximum_version=version)
        assert client.get("bob/status")[0] == 200
        assert client.connection.sock.version() == {771: "TLSv1.2", 772: "TLSv1.3"}[version]
        assert not client.connection.sock.session.has_ticket, "no session can be stolen"
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.kmes[0].sae_door.port}", "-tls1_1",
         "-cipher", "DEFAULT@SECLEVEL=0", "-cert", folder / "sae-alice.pem", "-key", folder / "sae-alice.key"],
        input=b"", capture_output=True, check=False, timeout=20,
    )  # fmt: skip
    assert done.returncode != 0


# ---------------------------------------------------------------------------------------------------- bounds


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_other_methods(call: Any, method: str) -> None:
    client = call("sae-alice")
    client.connection.request(method, "/api/v1/keys/bob/enc_keys")
    answer = client.connection.getresponse()
    assert answer.status in (405, 400)
    if answer.status == 405:
        assert answer.getheader("Allow") == "GET, POST"


@pytest.mark.parametrize(
    "path",
    ["/", "/api/v1/keys", "/api/v1/keys/bob", "/api/v1/keys/bob/enc_keys/", "/api/v2/keys/bob/enc_keys", "/%ff", "/../etc/passwd",
     "/api/v1/keys/bob/enc_keys/..;/status", "//api/v1/keys/bob/status/x"],
)  # fmt: skip
def test_other_paths(call: Any, path: str) -> None:
    assert call("sae-alice").send("GET", path)[0] in (400, 404)


def test_large_and_compressed_bodies(call: Any) -> None:
    client = call("sae-alice")
    status, answer, _ = client.send("POST", "/api/v1/keys/bob/enc_keys", b"{}", {"Content-Encoding": "gzip"})
    assert status == 400
    assert "compressed" in answer["message"]
    client = call("sae-alice")
    client.connection.putrequest("POST", "/api/v1/keys/bob/enc_keys")
    client.connection.putheader("Content-Length", str(10**10))
    client.connection.endheaders()
    assert client.connection.getresponse().status == 400, "said at once, without waiting for ten gigabytes"


def test_a_header_without_end(call: Any) -> None:
    client = call("sae-alice")
    client.connection.request("GET", "/api/v1/keys/bob/status", headers={"X": "y" * 20_000})
    assert client.connection.getresponse().status == 400


def test_slow_callers_are_cut_off(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hurry = door.Timeouts(handshake=0.5, first=0.5, body=0.5, idle=0.5)
    monkeypatch.setattr(door, "Timeouts", lambda: hurry)
    with serving(tmp_path / "slow", {"kme-a": ["alice", "bob"]}) as server:
        port = server.kmes[0].sae_door.port
        silent = socket.create_connection(("127.0.0.1", port), timeout=10)
        assert silent.recv(1) == b"", "no handshake"
        silent.close()
        client = Client(tmp_path / "slow", port, "sae-alice")
        client.connection.connect()
        client.connection.sock.sendall(b"GET /api/v1/keys/bob/sta")
        assert client.connection.sock.recv(1) == b"", "a header that does not end"
        client.close()
        client = Client(tmp_path / "slow", port, "sae-alice")
        client.connection.putrequest("POST", "/api/v1/keys/bob/enc_keys")
        client.connection.putheader("Content-Length", "100")
        client.connection.endheaders()
        client.connection.send(b"{")
        assert client.connection.getresponse().status == 400, "a body that does not end"
        client.close()


def test_too_many_connections(tmp_path: Path) -> None:
    with serving(tmp_path / "few", {"kme-a": ["alice", "bob"]}) as server:
        server.kmes[0].sae_door._most = 2
        clients = [Client(tmp_path / "few", server.kmes[0].sae_door.port, "sae-alice") for _ in range(3)]
        assert [client.get("bob/status")[0] for client in clients[:2]] == [200, 200]
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError, ssl.SSLError)):
            clients[2].get("bob/status")
        clients[0].close()
        time.sleep(0.2)
        again = Client(tmp_path / "few", server.kmes[0].sae_door.port, "sae-alice")
        assert again.get("bob/status")[0] == 200
        for client in (*clients, again):
            client.close()


# ------------------------------------------------------------------------------------------ secrets, stopping


def test_no_key_in_any_log_and_no_caching(call: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    status, body, headers = call("sae-alice").send("GET", "/api/v1/keys/bob/enc_keys?number=5")
    assert status == 200
    assert headers["cache-control"] == "no-store"
    assert headers["server"] == "qfabric"
    for one in body["keys"]:
        assert one["key"] not in caplog.text
        assert base64.b64decode(one["key"]).hex() not in caplog.text
    assert body["key_container_extension"] == {"qfabric_origin": "test", "qfabric_secret": False}


def test_a_fault_inside_says_nothing(
    server: Server, call: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def spoilt(*_: object) -> None:
        raise RuntimeError("the key is 0123456789abcdef")

    monkeypatch.setattr(server.kmes[0].kme.desk, "issue", spoilt)
    status, body = call("sae-alice").get("bob/enc_keys")
    assert (status, body) == (503, {"message": "the KME cannot answer now"})
    assert "RuntimeError at test_etsi014.py" in caplog.text
    assert "0123456789abcdef" not in caplog.text


def test_health(server: Server) -> None:
    health = server.kmes[0].health_door
    assert health is not None
    for path, expected in (("/health", (200, b'{"serving": true}')), ("/keys", (404, b"{}"))):
        plain = http.client.HTTPConnection("127.0.0.1", health.port, timeout=10)
        plain.request("GET", path)
        answer = plain.getresponse()
        assert (answer.status, answer.read()) == expected
        plain.close()


def test_stopping_finishes_what_was_asked(tmp_path: Path) -> None:
    folder = tmp_path / "stop"
    with serving(folder, {"kme-a": ["alice", "bob"]}) as server:
        one = server.kmes[0]
        stock = server.do(one.kme.status("alice", "bob")).stored_key_count
        got: list[int] = []

        def ask() -> None:
            client = Client(folder, one.sae_door.port, "sae-alice")
            try:
                while True:
                    assert client.get("bob/enc_keys")[0] == 200
                    got.append(1)
            except (OSError, http.client.HTTPException):
                client.close()

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        server.do(one.stop())
        for thread in threads:
            thread.join(10)
    with serving_again(folder) as server:
        left = server.do(server.kmes[0].kme.status("alice", "bob")).stored_key_count
    assert got
    assert stock - left == len(got), "every key that left the stock reached its caller"


def serving_again(folder: Path) -> Any:
    from contextlib import contextmanager

    from quantum_fabric.server.settings import load

    @contextmanager
    def again() -> Iterator[Server]:
        server = Server(small(load(folder / "kme-a.yaml")))
        server.start()
        yield server
        server.stop()

    return again()


# --------------------------------------------------------------------------------------------- foreign clients


def test_etsi_qkd_014_client_of_pypi(folder: Path, server: Server) -> None:
    foreign_client = pytest.importorskip("etsi_qkd_014_client")
    place = f"127.0.0.1:{server.kmes[0].sae_door.port}"
    alice, bob = (
        foreign_client.QKD014Client(
            place,
            str(folder / f"sae-{sae}.pem"),
            str(folder / f"sae-{sae}.key"),
            str(folder / "trial-ca-of-kmes.pem"),
        )
        for sae in ("alice", "bob")
    )
    code, status = alice.get_status("bob")
    assert (code, status.key_size) == (200, 256)
    for issued in (
        alice.get_key("bob"),
        alice.get_key("bob", number=2, size=128, extension_optional=[{"a_b": 1}]),
    ):
        assert issued[0] == 200
        ids = [key.key_id for key in issued[1].keys]
        code, got = bob.get_key_with_key_IDs("alice", ids)
        assert code == 200
        assert [(key.key_id, key.key) for key in got.keys] == [
            (key.key_id, key.key) for key in issued[1].keys
        ]
        code, error = bob.get_key_with_key_IDs("alice", ids)
        assert (code, error.message) == (400, NOT_FOUND)
    code, error = alice.get_key("bob", extension_mandatory=[{"a_b": 1}])
    assert (code, error.message) == (400, "not all extension_mandatory parameters are supported")


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_curl(folder: Path, server: Server) -> None:
    done = subprocess.run(
        ["curl", "-sS", "--fail-with-body", "--cacert", folder / "trial-ca-of-kmes.pem", "--cert", folder / "sae-alice.pem",
         "--key", folder / "sae-alice.key", "-X", "POST", "-H", "Content-Type: application/json", "-d", '{"number": 2}',
         f"https://localhost:{server.kmes[0].sae_door.port}/api/v1/keys/bob/enc_keys"],
        capture_output=True, check=True, timeout=20,
    )  # fmt: skip
    assert done.stdout.count(b"key_ID") == 2


def test_the_limits_told_are_the_limits_kept() -> None:
    assert LimitSettings().model_dump(exclude={"lifetime_seconds"}) | {"lifetime": 3_600_000} == {
        name: getattr(Limits(), name) for name in Limits.__slots__
    }


# ------------------------------------------------------------------------------------- shutting out, rotating


def test_an_sae_that_is_shut_out_is_nobody_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with serving(folder, {"kme-a": ["alice", "bob", "carol"]}) as server:
        one = server.kmes[0]
        clients = {
            name: Client(folder, one.sae_door.port, f"sae-{name}") for name in ("alice", "bob", "carol")
        }
        (key_id,) = keys(clients["alice"].get("carol/enc_keys"))
        fewer = one.settings.model_copy(
            update={
                "homes": {"alice": "kme-a", "bob": "kme-a"},
                "pairs": [pair for pair in one.settings.pairs if "carol" not in (pair.master, pair.slave)],
            }
        )
        server.loop.call_soon_threadsafe(one.reload, fewer)
        deadline = time.monotonic() + 5
        while clients["carol"].get("alice/status")[0] != 401:
            assert time.monotonic() < deadline
        assert clients["carol"].get(f"alice/dec_keys?key_ID={key_id}")[0] == 401, (
            "on the connection that was open"
        )
        assert clients["alice"].get("carol/enc_keys")[0] == 401
        assert clients["alice"].get("bob/enc_keys")[0] == 200
        for client in clients.values():
            client.close()


def test_a_revoked_certificate(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    from quantum_fabric.server.running import trial
    from quantum_fabric.server.settings import load

    folder = tmp_path / "revoked"
    (settings_file,) = trial(folder, {"kme-a": ["alice", "bob"]}, 0)
    loaded = small(load(settings_file))
    ca, now = own(folder, None), datetime.now(UTC)  # type: ignore[arg-type]
    serial = x509.load_pem_x509_certificate((folder / "sae-bob.pem").read_bytes()).serial_number
    entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
    revoked = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.certificate.subject)
        .last_update(now - timedelta(minutes=1))
        .next_update(now + timedelta(days=1))
        .add_revoked_certificate(entry)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), critical=False
        )
        .add_extension(x509.CRLNumber(1), critical=False)
        .sign(ca.key, hashes.SHA256())
    )
    (folder / "crl.pem").write_bytes(revoked.public_bytes(serialization.Encoding.PEM))
    listener = loaded.sae_listener.model_copy(update={"revoked": folder / "crl.pem"})
    server = Server(loaded.model_copy(update={"sae_listener": listener}))
    server.start()
    try:
        port = server.kmes[0].sae_door.port
        refused(folder, port, folder / "sae-bob.pem")
        alice = Client(folder, port, "sae-alice")
        assert alice.get("bob/status")[0] == 200
        alice.close()
    finally:
        server.stop()


def test_a_new_kek_takes_over_while_it_serves(tmp_path: Path) -> None:
    folder = tmp_path / "kek"
    with serving(folder, {"kme-a": ["alice", "bob"]}) as server:
        client = Client(folder, server.kmes[0].sae_door.port, "sae-alice")
        given = keys(client.get("bob/enc_keys"))
        client.close()
    file = folder / "kme-a.kek"
    old = file.read_text()
    new = "second " + "5a" * 32 + "\n"
    file.write_text(new + old)
    with serving_again(folder) as server:
        store = server.kmes[0].kme.store
        deadline = time.monotonic() + 20
        while (
            store.run(lambda shelf: shelf.stale("second", 1))
            or store.run(lambda shelf: shelf.proof()).kek != "second"
        ):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    file.write_text(new)
    with serving_again(folder) as server:
        client = Client(folder, server.kmes[0].sae_door.port, "sae-bob")
        assert keys(client.get(f"alice/dec_keys?key_ID={next(iter(given))}")) == given
        client.close()
