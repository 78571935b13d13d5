"""What is cut into shares comes together again, and a change is noticed."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyrelay import stream
from quantum_fabric.errors import InputError
from quantum_fabric.keys import KeyMaterial
from quantum_fabric.keys.relay import field
from quantum_fabric.keys.relay.bundle import LARGEST, OVERHEAD, noise_octets, pack, unpack


def shares_of(octets: int, paths: int) -> tuple[bytes, list[bytes]]:
    bundle, shares = pack(KeyMaterial(stream("bundle", noise_octets(octets, paths))), octets, paths)
    return bytes(bundle.key.octets), [bytes(share.octets) for share in shares]


@settings(deadline=None)
@given(st.integers(1, 200), st.integers(1, 5))
def test_shares_make_the_key_again_in_any_order(octets: int, paths: int) -> None:
    key, shares = shares_of(octets, paths)
    assert {len(share) for share in shares} == {octets + OVERHEAD}
    found = unpack(tuple(KeyMaterial(share) for share in reversed(shares)), octets)
    assert found is not None
    assert found.key.octets == key
    assert len({bytes(one.octets) for one in (found.receipt, found.release, found.withdraw)}) == 3


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 3), st.data())
def test_a_changed_bit_is_noticed(octets: int, paths: int, data: st.DataObject) -> None:
    _, shares = shares_of(octets, paths)
    number = data.draw(st.integers(0, paths - 1))
    place = data.draw(st.integers(0, 8 * len(shares[0]) - 1))
    changed = bytearray(shares[number])
    changed[place // 8] ^= 1 << place % 8
    shares[number] = bytes(changed)
    assert unpack(tuple(KeyMaterial(share) for share in shares), octets) is None


def test_every_change_of_a_small_code_is_found_as_often_as_the_theorem_says() -> None:
    """The same polynomial over the field of 8 elements, all changes and all r: at most d + 1 of 8 escape."""

    def times(a: int, b: int) -> int:
        product = 0
        for place in range(3):
            product ^= (a << place) * (b >> place & 1)
        for place in (1, 0):
            product ^= (0b1011 << place) * (product >> (place + 3) & 1)
        return product

    def mark(x: int, r: int) -> int:  # d = 1: r^3 + x r
        return times(times(r, r), r) ^ times(x, r)

    worst = 0
    for x, dx, dr, dt in itertools.product(range(8), repeat=4):
        if dx:
            worst = max(worst, sum(mark(x ^ dx, r ^ dr) == mark(x, r) ^ dt for r in range(8)))
    assert 0 < worst <= 2


def test_the_field_is_a_field() -> None:
    a, b, c = (int.from_bytes(stream(name, 16), "big") for name in "abc")
    assert field.times(a, b) == field.times(b, a)
    assert field.times(a, field.times(b, c)) == field.times(field.times(a, b), c)
    assert field.times(a, b ^ c) == field.times(a, b) ^ field.times(a, c)
    power = a
    for _ in range(127):
        power = field.times(power, power)
    assert field.times(power, power) == a, "x^(2^128) = x"


@pytest.mark.parametrize("octets", [40, 32])
def test_mark_is_its_polynomial(octets: int) -> None:
    """Three elements: the last one filled up, or added so that their number is odd."""
    data, r = stream("x", octets), stream("r", 16)
    point, value = int.from_bytes(r, "big"), 0
    powers = [1]
    for _ in range(5):
        powers.append(field.times(powers[-1], point))
    for index in range(3):
        piece = data[16 * index : 16 * index + 16].ljust(16, b"\0")
        value ^= field.times(int.from_bytes(piece, "big"), powers[index + 1])
    assert field.mark(data, r) == (value ^ powers[5]).to_bytes(16, "big")
    assert field.escape_bound(40) == 4 / 2**128


@pytest.mark.parametrize(
    ("octets", "paths", "noise"), [(0, 1, 64), (LARGEST + 1, 1, 64), (32, 0, 96), (32, 1, 95)]
)
def test_sizes_that_do_not_fit(octets: int, paths: int, noise: int) -> None:
    material = KeyMaterial(bytes(noise))
    with pytest.raises(InputError):
        pack(material, octets, paths)
    assert material.bits


def test_shares_of_odd_sizes_are_no_key() -> None:
    assert unpack((KeyMaterial(bytes(112)), KeyMaterial(bytes(111))), 32) is None
    assert unpack((), 32) is None
