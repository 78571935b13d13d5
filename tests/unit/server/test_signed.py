"""What KMEs say to each other is signed where certificates say so, and nothing else is taken."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, mldsa

pytest.importorskip("aiohttp")

from quantum_fabric.errors import InputError
from quantum_fabric.keys.hybrid import Algorithm, Certified, Signed, Signer
from quantum_fabric.keys.hybrid.signing import SignatureError
from quantum_fabric.server.door import Call, Reply
from quantum_fabric.server.signed import _REMEMBERED, SignedApi, Signing, load_held, load_signer
from quantum_fabric.server.trial_pki import authority

PATH = ("qfabric", "v1", "parcels")
WIRE = "/qfabric/v1/parcels"
KEYS = {name: mldsa.MLDSA65PrivateKey.generate() for name in ("kme-a", "kme-b", "kme-c")}
LATER = datetime.now(UTC) + timedelta(hours=1)


def held(name: str, until: datetime = LATER) -> list[tuple[Certified, datetime]]:
    return [(Certified(name, Algorithm.ML_DSA_65, KEYS[name].public_key()), until)]


def signing(name: str, *peers: str, until: datetime = LATER) -> Signing:
    return Signing(name, Signer(name, [KEYS[name]]), {peer: held(peer, until) for peer in peers})


def api(mine: Signing, calls: list[Call]) -> SignedApi:
    async def answer(call: Call) -> Reply:
        calls.append(call)
        return Reply(200, b'{"held":[]}')

    return SignedApi(mine, answer)


def say(mine: SignedApi, caller: str | None, body: bytes, path: tuple[str, ...] = PATH) -> Reply:
    return asyncio.run(mine(Call(caller, "POST", path, "", body)))


def test_a_call_and_its_answer() -> None:
    a, b, calls = signing("kme-a", "kme-b"), signing("kme-b", "kme-a"), []
    number, body = a.call("kme-b", WIRE, b'{"parcels":[]}')
    assert b"parcels" not in body
    reply = say(api(b, calls), "kme-a", body)
    assert (reply.status, calls[0].body, calls[0].caller) == (200, b'{"parcels":[]}', "kme-a")
    assert a.answered("kme-b", WIRE, number, 200, reply.body) == b'{"held":[]}'
    for wrong in (
        lambda: a.answered("kme-b", WIRE, number, 400, reply.body),
        lambda: a.answered("kme-b", WIRE, number + 1, 200, reply.body),
        lambda: a.answered("kme-b", "/qfabric/v1/streams", number, 200, reply.body),
        lambda: a.answered("kme-b", WIRE, number, 200, b'{"held":[]}'),
    ):
        with pytest.raises(SignatureError):
            wrong()


def test_what_is_refused() -> None:
    a, b, calls = signing("kme-a", "kme-b"), signing("kme-b", "kme-a", "kme-c"), []
    door = api(b, calls)
    _, body = a.call("kme-b", WIRE, b"{}")
    other = signing("kme-a", "kme-c").call("kme-c", WIRE, b"{}")[1]
    elsewhere = a.call("kme-b", "/qfabric/v1/streams", b"{}")[1]
    for wrong in (b"{}", b'{"parcels":[]}', b"", b"[]", b"\xff", b'{"signed":1}', b'{"signed":"!"}', b"[" * 100_000,
                  b'{"signed":"","more":1}', body[:-9] + b'AAAAAAA"}', other, elsewhere):  # fmt: skip
        reply = say(door, "kme-a", wrong)
        assert reply.status == 401, wrong[:40]
    assert say(door, "kme-c", body).status == 401, "kme-c's TLS certificate, kme-a's signature"
    assert calls == []
    assert say(door, "kme-a", body).status == 200
    assert say(door, "kme-a", body).status == 401, "once"
    assert len(calls) == 1


def test_who_needs_no_signature() -> None:
    b, calls = signing("kme-b", "kme-a"), []
    door = api(b, calls)
    assert say(door, "kme-c", b"{}").body == b'{"held":[]}', "no certificate says so"
    assert say(door, None, b"{}").status == 200, "the paths behind refuse it"
    assert say(door, "kme-a", b"{}", ("kmapi", "v1", "ext_keys")).status == 401, "020 is signed too"


def test_no_downgrade() -> None:
    """A peer that is certified for ML-DSA is not believed under ECDSA, whatever it says of itself."""
    weak = ec.generate_private_key(ec.SECP256R1())
    both = [*held("kme-a"), (Certified("kme-a", Algorithm.ECDSA_P256, weak.public_key()), LATER)]
    b, calls = Signing("kme-b", Signer("kme-b", [KEYS["kme-b"]]), {"kme-a": both}), []
    forger = Signer("kme-a", [weak])
    forger.offered = (Algorithm.ECDSA_P256, Algorithm.ML_DSA_65)
    message = forger.sign("kme-b", f"POST {WIRE}", 1, b"{}", known=[Algorithm.ECDSA_P256])
    body = json.dumps({"signed": base64.b64encode(message.octets).decode()}).encode()
    assert Signed.read(message.octets) == message
    assert say(api(b, calls), "kme-a", body).status == 401
    honest = Signer("kme-a", [weak, KEYS["kme-a"]]).sign("kme-b", f"POST {WIRE}", 1, b"{}")
    assert honest.algorithm is Algorithm.ML_DSA_65
    body = json.dumps({"signed": base64.b64encode(honest.octets).decode()}).encode()
    assert say(api(b, calls), "kme-a", body).status == 200


def test_a_certificate_that_runs_out() -> None:
    a = signing("kme-a", "kme-b")
    b = signing("kme-b", "kme-a", until=datetime.now(UTC) - timedelta(seconds=1))
    assert say(api(b, []), "kme-a", a.call("kme-b", WIRE, b"{}")[1]).status == 401


def test_numbers_out_of_order_are_taken_once_and_old_ones_never() -> None:
    b = signing("kme-b", "kme-a")
    peer = b._peers["kme-a"]
    for number in (5, 3, 4):
        peer.fresh(number)
    for number in (3, 4, 5):
        with pytest.raises(SignatureError, match="replay"):
            peer.fresh(number)
    for number in range(6, 6 + 2 * _REMEMBERED):
        peer.fresh(number)
    assert len(peer.seen) <= _REMEMBERED
    newest = 6 + 2 * _REMEMBERED - 1
    assert newest not in range(peer.floor + 1)
    # every number that was taken is refused: the floor itself, those beside it, and the newest
    for number in (1, 2, 100, peer.floor - 1, peer.floor, peer.floor + 1, newest):
        with pytest.raises(SignatureError, match="replay"):
            peer.fresh(number)
    peer.fresh(newest + 1)


def test_files(tmp_path: Path) -> None:
    ca, stranger = authority(tmp_path, "ca"), authority(tmp_path, "stranger")
    certificate, key = ca.sign_for_signatures("kme/a")
    signer = load_signer("kme/a", [key])
    assert signer is not None
    ((found, _),) = load_held("kme/a", [certificate], tmp_path / "ca.pem")
    assert found.algorithm is Algorithm.ML_DSA_65
    mine = Signing(
        "kme-b",
        Signer("kme-b", [KEYS["kme-b"]]),
        {"kme/a": load_held("kme/a", [certificate], tmp_path / "ca.pem")},
    )
    theirs = Signing("kme/a", signer, {"kme-b": held("kme-b")})
    assert mine.called("kme/a", WIRE, theirs.call("kme-b", WIRE, b"{}")[1])[1] == b"{}"
    with pytest.raises(InputError, match="signature certificate of kme-b"):
        load_held("kme-b", [certificate], tmp_path / "ca.pem")
    with pytest.raises(InputError, match="CA"):
        load_held("kme/a", [certificate], tmp_path / "stranger.pem")
    with pytest.raises(InputError):
        load_held("kme/a", [key], tmp_path / "ca.pem")
    with pytest.raises(InputError, match="PEM"):
        load_signer(
            "kme/a",
            [certificate.with_suffix(".key").rename(tmp_path / "k"), write(tmp_path / "junk", "junk")],
        )
    (tmp_path / "k").chmod(0o644)
    with pytest.raises(InputError, match="nobody else"):
        load_signer("kme/a", [tmp_path / "k"])
    assert load_signer("kme/a", []) is None
    with pytest.raises(InputError, match="keys of this KME"):
        Signing("kme-b", None, {"kme-a": held("kme-a")})
    assert stranger.name == "stranger"


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path
