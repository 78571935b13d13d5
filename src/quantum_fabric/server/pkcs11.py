"""KEKs that never leave a PKCS#11 token (an HSM, or SoftHSM2): the token wraps and unwraps, this process never sees them.

Needs the extra `pkcs11` (python-pkcs11, which is imported when a token is opened) and the token's own library.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from quantum_fabric.errors import InputError, StateError
from quantum_fabric.keys import KeyRing
from quantum_fabric.keys.sealing import KEK_OCTETS, kek_name

_OPEN: dict[tuple[str, str], Any] = {}
"""Sessions by library and token: PKCS#11 logs in a process, not a session."""

_LOCK: Final = threading.Lock()


class TokenError(StateError):
    """The token does not do what it is asked now: gone, logged out, locked."""


class TokenKek:
    """A key-encryption key in a token.

    Args:
        session: open and logged in.
        key: an AES-256 key that may wrap and unwrap.
        name: by which rows remember it; its label in the token.

    Equation:
        ``AES-KW(KEK, plain || 80 00...)``: RFC 3394 after padding to whole blocks of 8 octets (ISO/IEC 7816-4). The padding is
        ours: SoftHSM 2.6.1 pads within ``CKM_AES_KEY_WRAP_PAD`` and forgets how much, so that its results are not those of
        RFC 5649 unless there is nothing to pad.

    Limits:
        Each wrapping is a conversation with the token: SoftHSM2 does about 5,000 each second on one core, a network HSM
        hundreds. A key handed out takes one unwrapping and one wrapping.

    Raises:
        InputError: the token would let the key out, or the key is not AES-256 for wrapping.
    """

    __slots__ = ("_key", "_session", "name")

    def __init__(self, session: Any, key: Any, name: str) -> None:
        from pkcs11 import Attribute

        self._session, self._key, self.name = session, key, kek_name(name)
        where = f"KEK {name} of the token"
        if not key[Attribute.SENSITIVE] or key[Attribute.EXTRACTABLE]:
            raise InputError("a key that can be taken out", "a sensitive key that is not extractable", where)
        if key[Attribute.VALUE_LEN] != KEK_OCTETS or not (key[Attribute.WRAP] and key[Attribute.UNWRAP]):
            raise InputError("another kind of key", "an AES-256 key that may wrap and unwrap", where)

    def wrap(self, plain: bytes) -> bytes:
        """See `WrappingKey`.

        Raises:
            TokenError: the token refuses.
        """
        from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
        from pkcs11.exceptions import PKCS11Error

        padded = plain + b"\x80" + bytes(-(len(plain) + 1) % 8)
        template = {
            Attribute.CLASS: ObjectClass.SECRET_KEY,
            Attribute.KEY_TYPE: KeyType.GENERIC_SECRET,
            Attribute.VALUE: padded.ljust(16, b"\0"),  # key wrap takes two blocks or more
            Attribute.TOKEN: False,
            Attribute.EXTRACTABLE: True,
            Attribute.SENSITIVE: False,
        }
        with _LOCK:
            try:
                thing = self._session.create_object(template)
                try:
                    return bytes(self._key.wrap_key(thing, mechanism=Mechanism.AES_KEY_WRAP))
                finally:
                    thing.destroy()
            except PKCS11Error as error:
                raise TokenError(f"the token does not wrap: {type(error).__name__}") from None

    def unwrap(self, octets: bytes) -> bytes | None:
        """See `WrappingKey`.

        Raises:
            TokenError: the token refuses.
        """
        from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, exceptions

        template = {Attribute.TOKEN: False, Attribute.EXTRACTABLE: True, Attribute.SENSITIVE: False}
        kind = (ObjectClass.SECRET_KEY, KeyType.GENERIC_SECRET)
        with _LOCK:
            try:
                thing = self._key.unwrap_key(
                    *kind, octets, mechanism=Mechanism.AES_KEY_WRAP, template=template
                )
                try:
                    padded = bytes(thing[Attribute.VALUE])
                finally:
                    thing.destroy()
            except (exceptions.WrappedKeyInvalid, exceptions.WrappedKeyLenRange, exceptions.GeneralError):
                return None  # what SoftHSM says of a failed integrity check is "general error"
            except exceptions.PKCS11Error as error:
                raise TokenError(f"the token does not unwrap: {type(error).__name__}") from None
        plain, mark, rest = padded.rpartition(b"\x80")
        return plain if mark and not any(rest) else None

    def __repr__(self) -> str:
        """Its name."""
        return f"<KEK {self.name} in a token>"


def ring_from_token(module: Path, token: str, names: Sequence[str], pin: str) -> KeyRing:
    """Open the KEKs of a token.

    Args:
        module: the token's library (``/usr/lib/softhsm/libsofthsm2.so``).
        token: its label.
        names: labels of AES-256 keys in it; the first seals, the others only open.
        pin: of the user.

    Raises:
        InputError: no such library, token or key, a wrong PIN, or a key that could be taken out.
    """
    session = _session(module, token, pin)
    if not names:
        raise InputError("no KEK", "one name or more", f"token {token}")
    keks = [TokenKek(session, _found(session, token, name), name) for name in names]
    return KeyRing(keks[0], keks[1:])


def create(module: Path, token: str, name: str, pin: str) -> None:
    """Make a random KEK inside a token. It cannot be taken out, so back up the token by its own means.

    Raises:
        InputError: there is one of that name, or the token cannot be opened.
    """
    from pkcs11 import Attribute, KeyType, MechanismFlag

    session = _session(module, token, pin)
    with _LOCK:
        if list(session.get_objects({Attribute.LABEL: kek_name(name)})):
            raise InputError(f"a key of the name {name}", "a new name", f"token {token}")
        session.generate_key(
            KeyType.AES,
            8 * KEK_OCTETS,
            label=name,
            store=True,
            capabilities=MechanismFlag.WRAP | MechanismFlag.UNWRAP,
            template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
        )


def _found(session: Any, token: str, name: str) -> Any:
    from pkcs11 import KeyType, ObjectClass
    from pkcs11.exceptions import MultipleObjectsReturned, NoSuchKey

    try:
        with _LOCK:
            return session.get_key(object_class=ObjectClass.SECRET_KEY, key_type=KeyType.AES, label=name)
    except (NoSuchKey, MultipleObjectsReturned) as error:
        raise InputError(
            f"{type(error).__name__} for '{name}'", "one AES key of that label", f"token {token}"
        ) from None


def _session(module: Path, token: str, pin: str) -> Any:
    try:
        import pkcs11
    except ImportError:
        raise InputError(
            "no python-pkcs11", "the extra 'pkcs11': pip install 'quantum-fabric[pkcs11]'", "kek.pkcs11"
        ) from None
    where = str(module), token
    with _LOCK:
        if where not in _OPEN:
            try:
                found = pkcs11.lib(where[0]).get_token(token_label=token)
                _OPEN[where] = found.open(user_pin=pin, rw=True)
            except (
                pkcs11.PKCS11Error,
                RuntimeError,
            ) as error:  # the PIN is in none of their texts, but quote nothing
                raise InputError(
                    type(error).__name__, "a token that opens", f"token '{token}' of {module}"
                ) from None
        return _OPEN[where]
