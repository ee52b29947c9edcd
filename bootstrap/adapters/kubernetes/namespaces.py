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


def remove_leftovers(client: Client, ours: str) -> str:
    """Remove what killed runs left behind over an hour ago; a younger one may be at work.

    The age is from its making to that of ``ours``, so that only the API server's clock
    counts. Gives a remark for the evidence: a leftover is no reason to call a cluster sick.
    """
    try:
        found = client.read(PATH, labelSelector=f"{LABEL}=true")
        made = {text(item, "metadata", "name"): item for item in objects(found, "items")}
        now = _created(made.get(ours))
        old = [name for name, item in made.items() if now and _is_leftover(item, now)]
        for name in old:
            client.delete(f"{PATH}/{name}")
    except ApiFailureError as error:
        return f"; leftovers of earlier runs were not removed: {error}"
    return f"; removed {len(old)} left by earlier runs" if old else ""


def _is_leftover(item: Document, now: datetime) -> bool:
    is_ours = text(item, "metadata", "name").startswith(PREFIX)
    created = _created(item)
    is_marked = dig(item, "metadata", "labels", LABEL) == "true"
    return is_ours and is_marked and created is not None and now - created > _OLD


def _created(item: object) -> datetime | None:
    try:
        created = datetime.fromisoformat(text(item, "metadata", "creationTimestamp"))
    except ValueError:
        return None
    return created if created.tzinfo else None
