"""Certificates for trying out: CAs, KMEs and SAEs in one folder, valid for a month, marked as such in every name.

Whoever can read the folder can be anybody. Production certificates come from a CA whose key is somewhere else.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from quantum_fabric.server.identity import uri

MARK: Final = "THROW-AWAY, for trials only"
"""In the organisation of every certificate."""

LIFETIME: Final = timedelta(days=30)

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | mldsa.MLDSA65PrivateKey


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA of a trial.

    Attributes:
        folder: where its files are: ``NAME.pem`` and ``NAME.key``.
        name: of the CA.
        certificate, key: its own.
    """

    folder: Path
    name: str
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def sign(
        self,
        kind: str,
        name: str,
        hosts: Sequence[str] = (),
        lifetime: timedelta = LIFETIME,
        start: timedelta = timedelta(),
    ) -> tuple[Path, Path]:
        """Make a certificate and its key.

        Args:
            kind: ``"sae"`` or ``"kme"``.
            name: of the SAE or KME.
            hosts: names and addresses that it serves at; clients need none.
            lifetime: from `start` on.
            start: from now.

        Returns:
            Files of the certificate and of the key.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri(kind, name))]
        names += [_host(host) for host in hosts]
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
        if hosts:
            usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
        begin = datetime.now(UTC) + start - timedelta(minutes=5)
        builder = (
            _begun(name, self.certificate.subject, key, begin, begin + lifetime)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        made = builder.sign(self.key, hashes.SHA256())
        return _write(self.folder, f"{kind}-{uri(kind, name).rpartition('/')[2]}", made, key)

    def sign_for_signatures(self, kme: str, lifetime: timedelta = LIFETIME) -> tuple[Path, Path]:
        """Make an ML-DSA-65 key of a KME and its certificate, good for signatures of the control plane and not for TLS.

        Returns:
            Files of the certificate and of the key: ``sign-KME.pem`` and ``sign-KME.key``.
        """
        key = mldsa.MLDSA65PrivateKey.generate()
        begin = datetime.now(UTC) - timedelta(minutes=5)
        name = x509.UniformResourceIdentifier(uri("kme", kme))
        made = (
            _begun(kme, self.certificate.subject, key, begin, begin + lifetime)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([name]), critical=False)
            .add_extension(_usage(signs=False), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        return _write(self.folder, f"sign-{uri('kme', kme).rpartition('/')[2]}", made, key)


def authority(folder: Path, name: str) -> Authority:
    """Make a CA and write its files; existing ones are not overwritten.

    Raises:
        FileExistsError: there is one of that name.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    begin = datetime.now(UTC) - timedelta(minutes=5)
    subject = _name(name)
    certificate = (
        _begun(name, subject, key, begin, begin + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(folder, name, certificate, key)
    return Authority(folder, name, certificate, key)


def _name(name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, MARK), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )


def _begun(
    name: str, issuer: x509.Name, key: PrivateKey, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs, key_cert_sign=signs, crl_sign=signs, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(folder: Path, name: str, certificate: x509.Certificate, key: PrivateKey) -> tuple[Path, Path]:
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    files = folder / f"{name}.pem", folder / f"{name}.key"
    for path, text, mode in (
        (files[0], certificate.public_bytes(serialization.Encoding.PEM), 0o644),
        (files[1], plain, 0o600),
    ):
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb"
        ) as file:
            file.write(text)
    return files
