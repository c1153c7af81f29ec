"""Files in Google Cloud Storage, by their address ``gs://bucket/name``; the extra ``cloud`` brings the client."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from axonet.core.errors import UserError
from axonet.core.files import atomic_path

SCHEME = "gs://"
LOGIN = "gcloud auth application-default login"


def in_bucket(place: object) -> bool:
    """Whether an address or a path names something in a bucket."""
    return str(place).startswith(SCHEME)


def bucket_and_name(address: str) -> tuple[str, str]:
    """``gs://bucket/a/b`` as ``("bucket", "a/b")``.

    Raises:
        UserError: no such address, or one without a bucket.
    """
    bucket, _, name = address.removeprefix(SCHEME).partition("/")
    if not in_bucket(address) or not bucket:
        raise UserError(f"{address}: not an address in Google Cloud Storage, such as gs://bucket/folder")
    return bucket, name


def read_bytes(place: str | Path) -> bytes:
    """The bytes of a file, in a bucket or on this machine.

    Raises:
        UserError: the bucket cannot be reached, or has no such file.
        OSError: the file on this machine cannot be read.
    """
    if not in_bucket(place):
        return Path(place).read_bytes()
    with explained(str(place)):
        return bytes(_blob(str(place)).download_as_bytes())


def write_bytes(address: str, data: bytes) -> None:
    """Write a file into a bucket: whole or not at all.

    Raises:
        UserError: the bucket cannot be reached or written to.
    """
    with explained(address):
        _blob(address).upload_from_string(data)


def version_of(address: str) -> str | None:
    """What changes whenever the file is written anew; None where there is no such file.

    Raises:
        UserError: the bucket cannot be reached.
    """
    bucket, name = bucket_and_name(address)
    with explained(address):
        blob = _client().bucket(bucket).get_blob(name)
    return None if blob is None else f"{blob.generation}-{blob.crc32c}"


def names_below(address: str) -> list[str]:
    """Addresses of the files below a folder, sorted.

    Raises:
        UserError: the bucket cannot be reached.
    """
    bucket, name = bucket_and_name(address)
    prefix = f"{name.rstrip('/')}/" if name.rstrip("/") else ""
    with explained(address):
        return sorted(f"{SCHEME}{bucket}/{blob.name}" for blob in _client().list_blobs(bucket, prefix=prefix))


def lacking_permissions(address: str, wanted: Sequence[str]) -> list[str]:
    """Which of the permissions this user lacks in a bucket.

    Raises:
        UserError: the bucket cannot be reached.
    """
    bucket, _ = bucket_and_name(address)
    with explained(f"{SCHEME}{bucket}"):
        granted = set(_client().bucket(bucket).test_iam_permissions(list(wanted)))
    return [name for name in wanted if name not in granted]


def local_copy(address: str, folder: Path) -> Path | None:
    """A copy of a file on this machine, fetched when the bucket has another version; None where there is no such file.

    Args:
        address: of the file.
        folder: where copies are kept, one beside the version it was made from.
    """
    bucket, name = bucket_and_name(address)
    copy = folder / bucket / name
    seen = copy.with_name(f".{copy.name}.version")
    version = version_of(address)
    if version is None:
        copy.unlink(missing_ok=True)
        return None
    if not (copy.is_file() and seen.is_file() and seen.read_text(encoding="utf-8") == version):
        with atomic_path(copy) as temporary:
            temporary.write_bytes(read_bytes(address))
        seen.write_text(version, encoding="utf-8")
    return copy


@cache
def _client() -> Any:
    try:
        import google.cloud.storage as storage
    except ImportError:
        raise UserError("Google Cloud Storage needs axonet with its extra: pip install 'axonet[cloud]'") from None
    return storage.Client()


def _blob(address: str) -> Any:
    bucket, name = bucket_and_name(address)
    return _client().bucket(bucket).blob(name)


@contextmanager
def explained(address: str) -> Iterator[None]:
    """Turn what Google refuses into one line with the remedy."""
    try:
        from google.api_core import exceptions as refused
        from google.auth import exceptions as unknown
    except ImportError:
        _client()
        raise
    bucket, name = bucket_and_name(address)
    try:
        yield
    except unknown.DefaultCredentialsError:
        raise UserError(f"no Google credentials on this machine; run: {LOGIN}") from None
    except (unknown.RefreshError, refused.Unauthorized):
        raise UserError(f"the Google credentials of this machine are refused; renew them: {LOGIN}") from None
    except refused.Forbidden:
        raise UserError(
            f"gs://{bucket} denies access; ask its owner for the role Storage Object Admin (roles/storage.objectAdmin)"
        ) from None
    except refused.NotFound as error:
        if name and "bucket" not in str(error).lower():
            raise UserError(f"{address}: no such file") from None
        raise UserError(
            f"gs://{bucket}: no such bucket; check the name or make it: gcloud storage buckets create gs://{bucket}"
        ) from None
    except (refused.GoogleAPICallError, unknown.TransportError, ConnectionError) as error:
        raise UserError(f"gs://{bucket} does not answer ({str(error).splitlines()[0]}); try again later") from None
