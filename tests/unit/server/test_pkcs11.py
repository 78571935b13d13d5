"""KEKs in a token: a real SoftHSM2, in processes of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

import softhsm

pytestmark = pytest.mark.skipif(bool(softhsm.missing()), reason=softhsm.missing() or "-")

BEGIN = """
import sys
from pathlib import Path
from uuid import UUID
import keydesk, softhsm
from quantum_fabric.errors import InputError, UnknownNameError
from quantum_fabric.keys import *
from quantum_fabric.server.pkcs11 import TokenError, TokenKek, _session, create, ring_from_token
module, label, pin = softhsm.module(), softhsm.LABEL, softhsm.PIN
names = [UUID(int=one) for one in range(300)]

def refused(kind, work):
    try:
        work()
    except kind as error:
        assert pin not in str(error)
        return str(error)
    raise AssertionError("it was not refused")
"""


@pytest.fixture
def hsm(tmp_path: Path):
    softhsm.token(tmp_path)
    return lambda program, *more: softhsm.run(tmp_path, BEGIN + program, *more)


def test_a_kek_that_never_leaves_its_token(hsm) -> None:
    hsm("""
from pkcs11 import Attribute
create(module, label, "k1", pin)
ring = ring_from_token(module, label, ["k1"], pin)
for octets in range(1, 300):
    material = KeyMaterial(bytes(one * 7 & 0xFF for one in range(octets)))
    sealed = ring.seal(names[octets], material)
    assert ring.open(names[octets], sealed) == material, octets
    assert bytes(material.octets[:8]) not in sealed.octets or octets < 8
    refused(SealError, lambda: ring.open(names[0], sealed))
kek = ring.current
assert repr(kek) == "<KEK k1 in a token>"
try:
    kek._key[Attribute.VALUE]
except Exception as error:
    assert type(error).__name__ == "AttributeSensitive"
else:
    raise AssertionError("the KEK came out")
""")


def test_it_is_rfc_3394_after_padding(hsm) -> None:
    """A KEK that is known (and put into the token for this test) gives what the library `cryptography` gives."""
    hsm("""
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from pkcs11 import Attribute, KeyType, ObjectClass
secret = bytes(range(32))
session = _session(module, label, pin)
key = session.create_object({Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.KEY_TYPE: KeyType.AES,
    Attribute.VALUE: secret, Attribute.LABEL: "known", Attribute.TOKEN: False, Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False, Attribute.WRAP: True, Attribute.UNWRAP: True})
kek = TokenKek(session, key, "known")
for octets in (16, 17, 23, 24, 31, 48, 100):
    plain = bytes(range(octets))
    padded = plain + b"\\x80" + bytes(-(octets + 1) % 8)
    assert kek.wrap(plain) == aes_key_wrap(secret, padded), octets
    assert kek.unwrap(aes_key_wrap(secret, padded)) == plain
    assert kek.unwrap(aes_key_wrap(secret, bytes(24))) is None, "no mark of the padding"
""")


def test_a_changed_row_does_not_open(hsm) -> None:
    hsm("""
create(module, label, "k1", pin)
create(module, label, "k2", pin)
ring = ring_from_token(module, label, ["k1", "k2"], pin)
sealed = ring.seal(names[1], KeyMaterial(b"k" * 32))
for at in range(len(sealed.octets)):
    changed = bytearray(sealed.octets)
    changed[at] ^= 1
    refused(SealError, lambda: ring.open(names[1], Sealed("k1", bytes(changed))))
refused(SealError, lambda: ring.open(names[1], Sealed("k1", sealed.octets[:-8])))
refused(SealError, lambda: ring.open(names[1], Sealed("k1", b"")))
refused(SealError, lambda: ring.open(names[1], Sealed("k2", sealed.octets)))
refused(UnknownNameError, lambda: ring.open(names[1], Sealed("k3", sealed.octets)))
""")


def test_what_is_refused(hsm) -> None:
    hsm("""
from pkcs11 import Attribute, KeyType, MechanismFlag
assert "PinIncorrect" in refused(InputError, lambda: ring_from_token(module, label, ["k1"], pin + "x"))
assert "NoSuchToken" in refused(InputError, lambda: ring_from_token(module, "other", ["k1"], pin))
refused(InputError, lambda: ring_from_token(Path("/nowhere.so"), label, ["k1"], pin))
assert "NoSuchKey" in refused(InputError, lambda: ring_from_token(module, label, ["k1"], pin))
refused(InputError, lambda: ring_from_token(module, label, [], pin))
create(module, label, "k1", pin)
assert "new name" in refused(InputError, lambda: create(module, label, "k1", pin))
refused(InputError, lambda: create(module, label, "a name", pin))
session = _session(module, label, pin)
flags = MechanismFlag.WRAP | MechanismFlag.UNWRAP
loose = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: True}
session.generate_key(KeyType.AES, 256, label="loose", capabilities=flags, template=loose)
session.generate_key(KeyType.AES, 128, label="short", capabilities=flags, template={Attribute.EXTRACTABLE: False})
session.generate_key(KeyType.AES, 256, label="idle", capabilities=0, template={Attribute.EXTRACTABLE: False})
assert "taken out" in refused(InputError, lambda: ring_from_token(module, label, ["loose"], pin))
assert "AES-256" in refused(InputError, lambda: ring_from_token(module, label, ["short"], pin))
assert "AES-256" in refused(InputError, lambda: ring_from_token(module, label, ["idle"], pin))
ring = ring_from_token(module, label, ["k1"], pin)
sealed = ring.seal(names[1], KeyMaterial(b"k" * 32))
session.close()
refused(TokenError, lambda: ring.seal(names[1], KeyMaterial(b"k" * 32)))
refused(TokenError, lambda: ring.open(names[1], sealed))
""")


def test_a_store_under_a_token_and_a_change_from_a_file_to_it(hsm, tmp_path: Path) -> None:
    """A store that was sealed under a KEK from a file is sealed anew under the token's; the file is then not needed."""
    hsm(
        """
from quantum_fabric.server.store import Store
path = Path(sys.argv[1])
desk = keydesk.desk()
store = Store(path, keydesk.ring())
plain = store.run(lambda shelf: keydesk.stock(desk, shelf, "kme-a", "kme-a", 640))
store.close()
create(module, label, "hsm-1", pin)
token = ring_from_token(module, label, ["hsm-1"], pin)
both = KeyRing(token.current, [keydesk.kek("test")])
store = Store(path, both)
assert store.rotate(Desk(desk.policy, both, desk.new_id), 0) == 20
store.close()
refused(UnknownNameError, lambda: Store(path, keydesk.ring()))
store = Store(path, token)
desk = Desk(desk.policy, token, desk.new_id)
given = store.run(lambda shelf: desk.issue(shelf, "alice", KeyRequest("anna", number=20), 0))
assert b"".join(bytes(one.material.octets) for one in given.keys) == plain
store.close()
""",
        str(tmp_path / "keys.sqlite"),
    )
