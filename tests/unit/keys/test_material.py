"""Whatever is done with key material, its bits come out of `octets` only."""

from __future__ import annotations

import base64
import copy
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable
from hashlib import shake_256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keydesk import kek, ring
from quantum_fabric.errors import InputError, StateError
from quantum_fabric.keys import DeliveredKey, Grant, KeyMaterial, Origin, Provenance

secrets = st.integers(0, 2**32).map(lambda seed: shake_256(str(seed).encode()).digest(16 + seed % 48))


def shapes(secret: bytes) -> list[str]:
    """How the bits might look if they came out: whole or in part, in the usual spellings."""
    part = secret[:8]
    spelt = [part.hex(), part.hex().upper(), base64.b64encode(secret).decode()[:10], repr(part)[2:-1]]
    return [*spelt, ", ".join(map(str, part)), str(int.from_bytes(secret, "big"))]


def raised(work: Callable[[], object]) -> str:
    try:
        return f"{work()}"
    except Exception as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


@given(secrets)
def test_no_way_of_printing_shows_the_bits(secret: bytes) -> None:
    key = KeyMaterial(secret)
    grant = Grant((DeliveredKey(UUID(int=1), key, Provenance(Origin.TEST, "x")),))
    record = logging.LogRecord("x", logging.INFO, "f", 1, "%s %r %s", (key, grant, {"key": key}), None)
    shown = [
        f"{key} {key!r} {key!s} {key!a} {key:>50} {key:x} {grant}",
        "{} {!r}".format(key, grant),  # noqa: UP032
        pprint.pformat({"keys": [key, grant]}),
        record.getMessage(),
        raised(lambda: pickle.dumps(key)),
        raised(lambda: copy.copy(key)),
        raised(lambda: copy.deepcopy([key])),
        raised(lambda: json.dumps({"key": key})),
        raised(lambda: json.dumps(key, default=vars)),
        raised(lambda: hash(key)),
        raised(lambda: key.split([1])),
        raised(lambda: bytes(key)),
        raised(lambda: str(sorted([key, key]))),
        str(StateError(key)),
        str(dir(key)),
    ]
    for text in shown:
        assert not [shape for shape in shapes(secret) if shape in text]


@given(secrets)
def test_the_test_would_see_the_bits(secret: bytes) -> None:
    assert [shape for shape in shapes(secret) if shape in secret.hex()]
    assert [shape for shape in shapes(secret) if shape in str(list(secret))]


@pytest.mark.parametrize(
    "leak", [pickle.dumps, copy.copy, copy.deepcopy, hash, bytes, iter, vars, json.dumps]
)
def test_what_would_copy_is_refused(leak: Callable[[object], object]) -> None:
    with pytest.raises((StateError, TypeError)):
        leak(KeyMaterial(b"0123456789abcdef"))


def test_wiping_overwrites_the_memory() -> None:
    key = KeyMaterial(b"secret..")
    seen = key.octets
    key.wipe()
    assert bytes(seen) == bytes(8), "the memory itself is zero, not only forgotten"
    assert (key.bits, len(key), repr(key)) == (0, 0, "<wiped>")
    key.wipe()
    with pytest.raises(StateError, match="wiped"):
        _ = key.octets


def test_the_view_is_read_only_and_the_input_is_copied() -> None:
    source = bytearray(b"secret..")
    key = KeyMaterial(source)
    source[0] = 0
    assert bytes(key.octets) == b"secret.."
    with pytest.raises(TypeError):
        key.octets[0] = 0


@given(secrets, st.data())
def test_split_and_join_keep_every_octet_in_order(secret: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(secret) - 1), max_size=5)))
    sizes = [b - a for a, b in zip([0, *cuts], [*cuts, len(secret)], strict=True)]
    whole = KeyMaterial(secret)
    pieces = whole.split(sizes)
    assert [bytes(piece.octets) for piece in pieces] == [
        secret[a:b] for a, b in zip([0, *cuts], [*cuts, len(secret)], strict=True)
    ]
    assert not len(whole)
    assert KeyMaterial.join(pieces) == KeyMaterial(secret)
    assert not any(len(piece) for piece in pieces)


@pytest.mark.parametrize("sizes", [[], [8], [9], [4, 4], [0, 7, 0], [-1, 9]])
def test_a_split_that_does_not_fit_cuts_nothing(sizes: list[int]) -> None:
    key = KeyMaterial(b"secret.")
    with pytest.raises(InputError):
        key.split(sizes)
    assert key == KeyMaterial(b"secret.")


def test_equality() -> None:
    assert KeyMaterial(b"a") == KeyMaterial(b"a")
    assert KeyMaterial(b"a") != KeyMaterial(b"b")
    assert KeyMaterial(b"a") != KeyMaterial(b"aa")
    assert KeyMaterial(b"a") != b"a"
    with pytest.raises(InputError):
        KeyMaterial(b"")


def test_keks_do_not_print_either() -> None:
    assert "00" not in repr(kek("n"))
    assert "secret bits" in repr(kek("n"))
    assert "n" in repr(ring("n").seal(UUID(int=1), KeyMaterial(b"x")))


def test_a_look_outlives_the_material_it_looks_at() -> None:
    """Otherwise the copy of a temporary's octets would be zeros, in silence."""
    assert bytes(KeyMaterial(b"abc").octets) == b"abc"


def test_the_memory_is_overwritten_with_the_last_look() -> None:
    material = KeyMaterial(b"abc")
    view = material.octets
    held = view.obj
    del material
    assert bytes(view) == b"abc"
    held.__del__()
    assert bytes(view) == bytes(3)
