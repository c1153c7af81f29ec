"""Certificates made on the spot, and servers with the faults that real ones were seen to have."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

_EXTENSIONS = """
[root]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[intermediate]
basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
[leaf]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth
subjectAltName=DNS:localhost,IP:127.0.0.1
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
[stranger]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth
subjectAltName=DNS:elsewhere.invalid
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
"""


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files.

    Attributes:
        root: what a client trusts.
        intermediate: signed by the root.
        chain: leaf and intermediate, as a server should send them.
        leaf: for localhost, signed by the intermediate.
        key: of the leaf.
        stranger: for another server, signed by the intermediate; its key lies beside it.
        other_root: that signed nothing.
        weak_dh: Diffie-Hellman parameters of 1024 bits.
    """

    root: Path
    intermediate: Path
    chain: Path
    leaf: Path
    key: Path
    stranger: Path
    other_root: Path
    weak_dh: Path


def make_certificates(folder: Path) -> Certificates:
    """Make a root, an intermediate, a leaf for localhost, and weak parameters, with the openssl program."""
    (folder / "extensions.cnf").write_text(_EXTENSIONS)
    root = _sign(folder, "root", None, "root")
    other = _sign(folder, "other", None, "root")
    intermediate = _sign(folder, "intermediate", "root", "intermediate")
    leaf = _sign(folder, "leaf", "intermediate", "leaf")
    stranger = _sign(folder, "stranger", "intermediate", "stranger")
    chain = folder / "chain.pem"
    chain.write_bytes(leaf.read_bytes() + intermediate.read_bytes())
    weak = folder / "weak_dh.pem"
    _openssl("dhparam", "-dsaparam", "-out", weak, "1024")
    return Certificates(root, intermediate, chain, leaf, folder / "leaf.key", stranger, other, weak)


def _sign(folder: Path, name: str, issuer: str | None, kind: str) -> Path:
    key, request, certificate = (folder / f"{name}.{suffix}" for suffix in ("key", "csr", "pem"))
    _openssl(
        "req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN=axonet test {name}"
    )
    by = (
        ["-signkey", key]
        if issuer is None
        else ["-CA", folder / f"{issuer}.pem", "-CAkey", folder / f"{issuer}.key", "-CAcreateserial"]
    )
    extensions = ["-extfile", folder / "extensions.cnf", "-extensions", kind]
    _openssl("x509", "-req", "-in", request, "-days", "30", "-sha256", *by, *extensions, "-out", certificate)
    return certificate


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def server_context(certificates: Certificates, mode: str) -> ssl.SSLContext:
    """TLS of a server.

    ``chain`` is as it should be, ``leaf_only`` lacks the intermediate, ``weak_dh`` has a weak key, ``stranger`` is
    another server.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = {"leaf_only": certificates.leaf, "stranger": certificates.stranger}.get(mode, certificates.chain)
    context.load_cert_chain(certificate, certificate.with_suffix(".key") if mode == "stranger" else certificates.key)
    if mode == "weak_dh":
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # TLS 1.3 has keys of its own
        context.set_ciphers("DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0")
        context.load_dh_params(certificates.weak_dh)
    return context
