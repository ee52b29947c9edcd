"""Make and remove the namespaces of verification, and only those."""

from datetime import datetime, timedelta

from bootstrap.adapters.kubernetes.client import Client
from bootstrap.adapters.kubernetes.documents import Document, dig, objects, text
from bootstrap.adapters.kubernetes.failures import ApiFailureError, MissingError
from bootstrap.adapters.kubernetes.manifests import LABEL, namespace_manifest
from bootstrap.adapters.kubernetes.pace import Pace
from bootstrap.waiting import NotYet

PREFIX = "bootstrap-verify-"
PATH = "/api/v1/namespaces"
_OLD = timedelta(hours=1)
_TIMEOUT_S = 60.0


def make_namespace(client: Client, pace: Pace, name: str) -> None:
    """Make the namespace exist."""
    pace.wait(
        f"the namespace '{name}' to be made",
        lambda: client.create(PATH, namespace_manifest(name)),
        timeout_s=_TIMEOUT_S,
    )


def remove_namespace(client: Client, pace: Pace, name: str) -> str:
    """Have the namespace deleted and see that the API server has begun."""

    def gone() -> str:
        client.delete(f"{PATH}/{name}")
        try:
            document = client.read(f"{PATH}/{name}")
        except MissingError:
            return f"namespace '{name}' is gone"
        if dig(document, "metadata", "deletionTimestamp") is None:
            raise NotYet(f"namespace '{name}' is still there")
        return f"namespace '{name}' is being deleted"

    return pace.wait(f"namespace '{name}' to go", gone, timeout_s=_TIMEOUT_S)


def remove_leftovers(client: Client, now: datetime) -> str:
    """Remove what killed runs left behind over an hour ago; a younger one may be at work.

    Gives a remark for the evidence: a leftover is no reason to call a cluster sick.
    """
    try:
        found = client.read(PATH, labelSelector=f"{LABEL}=true")
        old = [name for item in objects(found, "items") if (name := _old_name(item, now))]
        for name in old:
            client.delete(f"{PATH}/{name}")
    except ApiFailureError as error:
        return f"; leftovers of earlier runs were not removed: {error}"
    return f"; removed {len(old)} left by earlier runs" if old else ""


def _old_name(item: Document, now: datetime) -> str:
    name = text(item, "metadata", "name")
    try:
        created = datetime.fromisoformat(text(item, "metadata", "creationTimestamp"))
    except ValueError:
        return ""
    is_ours = name.startswith(PREFIX) and dig(item, "metadata", "labels", LABEL) == "true"
    return name if is_ours and now - created > _OLD else ""
