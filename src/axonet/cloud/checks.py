"""What can be known before anything is submitted: credentials, project, buckets, access, the Batch service."""

from __future__ import annotations

from typing import Any

from axonet.core.bucket import LOGIN, lacking_permissions
from axonet.core.errors import UserError

READ = ("storage.objects.get", "storage.objects.list")
WRITE = ("storage.objects.create", "storage.objects.delete")


def project_of_credentials() -> str:
    """The project of the credentials on this machine.

    Raises:
        UserError: there are no credentials, or they name no project.
    """
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    try:
        _, project = google.auth.default()
    except DefaultCredentialsError:
        raise UserError(f"no Google credentials on this machine; run: {LOGIN}") from None
    if not project:
        raise UserError("which Google Cloud project? Give --project, or run: gcloud config set project NAME")
    return str(project)


def check_bucket(address: str, *, to_write: bool) -> None:
    """Look at whether a place in a bucket can be read, and written if need be.

    Raises:
        UserError: no credentials, no such bucket, or no access.
    """
    lacking = lacking_permissions(address, (*READ, *WRITE) if to_write else READ)
    if lacking:
        role = "Storage Object Admin (roles/storage.objectAdmin)" if to_write else "Storage Object Viewer"
        bucket = "/".join(address.split("/")[:3])
        raise UserError(f"{bucket} denies access ({', '.join(lacking)}); ask its owner for the role {role}")


def check_batch(project: str, region: str) -> None:
    """Ask the Batch service for a list of jobs: whether it is switched on, knows the region and lets this user in.

    Raises:
        UserError: it does not answer, or refuses.
    """
    from google.api_core import exceptions as refused
    from google.auth.exceptions import DefaultCredentialsError
    from google.cloud import batch_v1

    parent = f"projects/{project}/locations/{region}"
    try:
        request: Any = batch_v1.ListJobsRequest(parent=parent, page_size=1)
        batch_v1.BatchServiceClient().list_jobs(request=request, timeout=60)
    except DefaultCredentialsError:
        raise UserError(f"no Google credentials on this machine; run: {LOGIN}") from None
    except refused.GoogleAPICallError as error:
        raise UserError(
            remedy(f"{type(error).__name__}: {error}") or f"Google Batch refuses: {error.message}"
        ) from None


# Words in what Google says (or Snakemake repeats), and what to do about it.
_REMEDIES: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("SERVICE_DISABLED", "has not been used in project", "it is disabled"),
        "Google Batch is not switched on in this project; run: gcloud services enable batch.googleapis.com",
    ),
    (
        ("RESOURCE_POOL_EXHAUSTED", "does not have enough resources"),
        "Google has no such machines free in this region; give another --region, --machine-type or --gpu-type",
    ),
    (
        ("QUOTA_EXCEEDED", "ResourceExhausted", "RESOURCE_EXHAUSTED", "quota exceeded", "exceeded quota"),
        "a quota of the project is used up; lower --jobs, take another --region or --gpu-type, or ask for more under "
        "IAM & Admin > Quotas",
    ),
    (
        ("iam.serviceAccounts.actAs", "batch.jobs.", "PermissionDenied: 403"),
        "this user may not start jobs; ask for the roles Batch Job Editor (roles/batch.jobsEditor) and Service Account "
        "User (roles/iam.serviceAccountUser)",
    ),
    (("NotFound: 404", "InvalidArgument: 400 Location"), "no such project or region; check --project and --region"),
)


def remedy(text: str) -> str | None:
    """One line on what to do about words of Google; None where they are not known."""
    return next((line for words, line in _REMEDIES if any(word.lower() in text.lower() for word in words)), None)
