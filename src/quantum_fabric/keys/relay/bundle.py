"""What is relayed for one key: its bits, three passwords, a check against change; cut into as many shares as there are paths.

The passwords are one-time and known to the two ends only. The target shows the first to prove that it holds the key; the source shows
the second to release it or the third to take it back. A relay can withhold them and cannot make them up (it would have to guess
128 bits), as long as it does not know the key anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from quantum_fabric.errors import InputError
from quantum_fabric.keys.cutting import xor
from quantum_fabric.keys.material import KeyMaterial
from quantum_fabric.keys.relay import field

PASSWORD: Final = 16
"""Octets of each password."""

OVERHEAD: Final = 3 * PASSWORD + 2 * field.OCTETS
"""Octets of a share beyond those of the key: the passwords, r and t."""

LOCK: Final = 32
"""Octets of link key that one authenticated message costs: a one-time point and a one-time pad."""

LARGEST: Final = 1 << 20
"""Octets of one relayed key; more go as several."""


def spent_forward(octets: int) -> int:
    """Bits that each hop of each path costs its sender: the share, its lock, the lock of the settlement, an acknowledgement.

    Examples:
        >>> spent_forward(32), SPENT_BACKWARD
        (1664, 768)
    """
    return 8 * (octets + OVERHEAD + 3 * LOCK)


SPENT_BACKWARD: Final = 8 * 3 * LOCK
"""Bits that it costs the receiver of the hop: two acknowledgements and the receipt."""


def noise_octets(octets: int, paths: int) -> int:
    """Random octets that a bundle needs: the key, the passwords, r, and every share but the last.

    Examples:
        >>> noise_octets(32, 1), noise_octets(32, 2)
        (96, 208)
    """
    return octets + 3 * PASSWORD + field.OCTETS + (paths - 1) * (octets + OVERHEAD)


@dataclass(frozen=True, slots=True)
class Bundle:
    """What both ends have in the end.

    Attributes:
        key: the bits.
        receipt: shown by the target.
        release: shown by the source, to let the key be used.
        withdraw: shown by the source, to have it destroyed.
    """

    key: KeyMaterial
    receipt: KeyMaterial
    release: KeyMaterial
    withdraw: KeyMaterial

    def wipe(self) -> None:
        """Overwrite all of it."""
        for one in (self.key, self.receipt, self.release, self.withdraw):
            one.wipe()


def pack(noise: KeyMaterial, octets: int, paths: int) -> tuple[Bundle, tuple[KeyMaterial, ...]]:
    """Make a key, and its shares.

    Args:
        noise: exactly as many random octets as `noise_octets` says; wiped.
        octets: of the key, 1 to `LARGEST`.
        paths: how many shares, 1 or more.

    Raises:
        InputError: sizes that do not fit; the noise is as it was.

    Examples:
        >>> bundle, shares = pack(KeyMaterial(bytes(range(208))), 32, 2)
        >>> [share.bits // 8 for share in shares], unpack(shares, 32).key == bundle.key
        ([112, 112], True)
    """
    if not 1 <= octets <= LARGEST or paths < 1:
        raise InputError(f"{octets} octets over {paths} paths", f"1 to {LARGEST} octets over 1 path or more")
    if len(noise) != noise_octets(octets, paths):
        raise InputError(f"{len(noise)} octets", f"{noise_octets(octets, paths)} random octets", "noise")
    data, r, *blinds = noise.split([octets + 3 * PASSWORD, field.OCTETS, *[octets + OVERHEAD] * (paths - 1)])
    t = KeyMaterial(field.mark(data.octets, bytes(r.octets)))
    whole = KeyMaterial(b"".join((data.octets, r.octets, t.octets)))
    for one in (r, t):
        one.wipe()
    for blind in blinds:
        rest = KeyMaterial(xor(whole, blind))
        whole.wipe()
        whole = rest
    return _parts(data, octets), (*blinds, whole)


def unpack(shares: tuple[KeyMaterial, ...], octets: int) -> Bundle | None:
    """Put the shares together again, and wipe them.

    Args:
        shares: one for each path, in any order, all of one size.
        octets: of the key.

    Returns:
        What was packed; None where something was changed on the way.
    """
    whole = bytearray(octets + OVERHEAD)
    sound = bool(shares) and all(len(share) == len(whole) for share in shares)
    for share in shares if sound else ():
        for place, octet in enumerate(share.octets):
            whole[place] ^= octet
    for share in shares:
        share.wipe()
    end = octets + 3 * PASSWORD
    r, t = bytes(whole[end : end + field.OCTETS]), bytes(whole[end + field.OCTETS :])
    if not sound or not field.fits(memoryview(whole)[:end], r, t):
        whole[:] = bytes(len(whole))
        return None
    data = KeyMaterial(memoryview(whole)[:end])
    whole[:] = bytes(len(whole))
    return _parts(data, octets)


def _parts(data: KeyMaterial, octets: int) -> Bundle:
    return Bundle(*data.split([octets, PASSWORD, PASSWORD, PASSWORD]))
