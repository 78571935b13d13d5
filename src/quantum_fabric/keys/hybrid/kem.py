"""ML-KEM-768 and ML-KEM-1024 (FIPS 203), from the library `cryptography`."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric import mlkem

from quantum_fabric.errors import InputError
from quantum_fabric.keys.material import KeyMaterial

SECRET_OCTETS: Final = 32
"""Of every shared secret of ML-KEM."""

SEED_OCTETS: Final = 64
"""Of a decapsulation key in its short form, ``d || z`` of FIPS 203."""


class ParameterSet(StrEnum):
    """Which ML-KEM. The smallest one, ML-KEM-512, is left out on purpose."""

    ML_KEM_768 = "ML-KEM-768"
    """Category 3."""

    ML_KEM_1024 = "ML-KEM-1024"
    """Category 5."""

    @property
    def public_octets(self) -> int:
        """Of an encapsulation key (FIPS 203, table 3)."""
        return 1184 if self is ParameterSet.ML_KEM_768 else 1568

    @property
    def ciphertext_octets(self) -> int:
        """Of a ciphertext (FIPS 203, table 3)."""
        return 1088 if self is ParameterSet.ML_KEM_768 else 1568


class KemKey:
    """A key pair for one exchange; the private half does not print itself.

    Args:
        parameters: which ML-KEM.
        seed: ``d || z``, for tests and for keys that are kept; random where None.

    Attributes:
        parameters: which ML-KEM.
        public: the encapsulation key.

    Raises:
        InputError: a seed of another size.

    Limits:
        The private half lives in the memory of OpenSSL, which frees it when this object goes; Python cannot overwrite it.

    Examples:
        >>> key = KemKey(ParameterSet.ML_KEM_768)
        >>> key, len(key.public)
        (<private key of ML-KEM-768>, 1184)
        >>> secret, ciphertext = encapsulate(ParameterSet.ML_KEM_768, key.public)
        >>> key.open(ciphertext) == secret
        True
    """

    __slots__ = ("__key", "parameters", "public")

    def __init__(self, parameters: ParameterSet, seed: KeyMaterial | None = None) -> None:
        if seed is not None and len(seed) != SEED_OCTETS:
            raise InputError(f"{seed.bits} bits", f"{8 * SEED_OCTETS} bits", f"seed of {parameters}")
        kind: type[mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey] = (
            mlkem.MLKEM768PrivateKey if parameters is ParameterSet.ML_KEM_768 else mlkem.MLKEM1024PrivateKey
        )
        self.__key = kind.generate() if seed is None else kind.from_seed_bytes(bytes(seed.octets))
        self.parameters = parameters
        self.public: bytes = self.__key.public_key().public_bytes_raw()

    def open(self, ciphertext: bytes) -> KeyMaterial:
        """Decapsulate.

        A ciphertext of the right size always gives a secret: one that was changed gives another (implicit rejection of
        FIPS 203), which shows when the two ends confirm.

        Raises:
            InputError: another size.
        """
        if len(ciphertext) != self.parameters.ciphertext_octets:
            raise InputError(
                f"{len(ciphertext)} octets",
                f"{self.parameters.ciphertext_octets} octets",
                f"ciphertext of {self.parameters}",
            )
        return KeyMaterial(self.__key.decapsulate(ciphertext))

    def __repr__(self) -> str:
        """Say what it is, never what is in it."""
        return f"<private key of {self.parameters}>"


def encapsulate(parameters: ParameterSet, public: bytes) -> tuple[KeyMaterial, bytes]:
    """Make a shared secret for the holder of a key.

    Args:
        parameters: which ML-KEM.
        public: the encapsulation key.

    Returns:
        The secret, 256 bits, and the ciphertext that tells it to the holder.

    Raises:
        InputError: another size, or coefficients that are not reduced (the check of FIPS 203, section 7.2).

    Examples:
        >>> encapsulate(ParameterSet.ML_KEM_768, bytes(3))
        Traceback (most recent call last):
        quantum_fabric.errors.InputError: public key of ML-KEM-768: found 3 octets, expected 1184 octets
    """
    if len(public) != parameters.public_octets:
        raise InputError(
            f"{len(public)} octets", f"{parameters.public_octets} octets", f"public key of {parameters}"
        )
    kind: type[mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey] = (
        mlkem.MLKEM768PublicKey if parameters is ParameterSet.ML_KEM_768 else mlkem.MLKEM1024PublicKey
    )
    if not _reduced(public[:-32]):
        raise InputError(
            "coefficients of 3329 or more", "coefficients below 3329", f"public key of {parameters}"
        )
    secret, ciphertext = kind.from_public_bytes(public).encapsulate()
    return KeyMaterial(secret), ciphertext


def _reduced(coded: bytes) -> bool:
    """Whether every 12-bit coefficient is below q; checked here so that it does not hang on one library's version."""
    for at in range(0, len(coded), 3):
        low = coded[at] | (coded[at + 1] & 0x0F) << 8
        high = coded[at + 1] >> 4 | coded[at + 2] << 4
        if low >= 3329 or high >= 3329:
            return False
    return True
