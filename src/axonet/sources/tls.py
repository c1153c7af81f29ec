"""TLS that stays verified, and what to try when it fails.

Servers of data archives have been seen with Diffie-Hellman keys that today's OpenSSL refuses, and without their
intermediate certificate. Both can be met with verification on: the first by a lower security level, the second by a
file with the missing certificate. Switching verification off cures only the second.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from axonet.core.errors import UserError
from axonet.sources.download_settings import DownloadSettings

_LEGACY_CIPHERS = "DEFAULT:@SECLEVEL=1"

# Part of OpenSSL's or Python's message: what helps.
_LEGACY = "--tls-legacy accepts the old keys of this server and still verifies its certificate"
_CA_FILE = (
    "name a PEM file with the missing certificate (the server's intermediate, or the root of your proxy) by "
    "--tls-ca-file, which keeps verification on; --insecure only as the last resort"
)
_HINTS = (
    ("DH_KEY_TOO_SMALL", _LEGACY),
    ("EE_KEY_TOO_SMALL", _LEGACY),
    ("CA_KEY_TOO_SMALL", _LEGACY),
    ("CA_MD_TOO_WEAK", _LEGACY),
    ("UNSUPPORTED_PROTOCOL", _LEGACY),
    ("HANDSHAKE_FAILURE", _LEGACY),
    ("LEGACY", _LEGACY),
    ("KEY TOO SMALL", _LEGACY),
    ("MD TOO WEAK", _LEGACY),
    ("KEY TOO WEAK", _LEGACY),
    ("LOCAL ISSUER CERTIFICATE", _CA_FILE),
    ("UNABLE TO GET ISSUER", _CA_FILE),
    ("SELF-SIGNED CERTIFICATE", _CA_FILE),
    ("SELF SIGNED CERTIFICATE", _CA_FILE),
    ("EXPIRED", "check the clock of this computer; otherwise the site has to renew its certificate"),
    ("NOT YET VALID", "check the clock of this computer"),
    ("HOSTNAME MISMATCH", "check the name of the server in the URL"),
    ("IP ADDRESS MISMATCH", "check the name of the server in the URL"),
    ("WRONG_VERSION_NUMBER", "this port speaks no TLS: try http:// in the URL"),
)


def ssl_context(settings: DownloadSettings) -> ssl.SSLContext:
    """The one context of all connections of a download.

    Raises:
        UserError: the file with certificates cannot be read.
    """
    context = ssl.create_default_context()
    if "SSL_CERT_FILE" not in os.environ and "SSL_CERT_DIR" not in os.environ:
        _add_public_roots(context)
    if settings.tls_ca_file is not None:
        _add_certificates(context, settings.tls_ca_file)
    if settings.tls_legacy or settings.insecure:
        context.set_ciphers(_LEGACY_CIPHERS)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # Python 3.13 switches it on; old chains fail on it
    if settings.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _add_public_roots(context: ssl.SSLContext) -> None:
    # Some Pythons find no certificates of the system; httpx brings a list along.
    import certifi

    context.load_verify_locations(certifi.where())


def _add_certificates(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise UserError(f"--tls-ca-file {path}: no certificates in PEM format ({error.reason or error})") from error
    except OSError as error:
        raise UserError(f"--tls-ca-file {path}: cannot be read ({error.strerror})") from error


def find_ssl_error(error: BaseException) -> ssl.SSLError | None:
    """The TLS failure behind an error of a higher layer, if there is one."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def tls_reason(error: ssl.SSLError) -> str:
    """What went wrong, without the names of functions and files that OpenSSL adds."""
    verify = getattr(error, "verify_message", None)
    return str(verify or error.reason or error)


def tls_hint(error: ssl.SSLError) -> str:
    """What helps against a failure."""
    text = f"{error} {tls_reason(error)}".upper()
    return next((hint for part, hint in _HINTS if part in text), "try --tls-legacy or --tls-ca-file FILE")
