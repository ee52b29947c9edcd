"""What `timeline` shows: the runs on a cluster that are kept."""

from collections.abc import Sequence

from bootstrap.errors import NotFoundError, UsageError
from bootstrap.model.events import LAST_RUN
from bootstrap.model.names import ClusterName
from bootstrap.pictures.runs.reading import run_of
from bootstrap.pictures.runs.report import Report, report_of
from bootstrap.pictures.runs.run import Run
from bootstrap.workflow.environment import Ports


def kept_runs(cluster: ClusterName, ports: Ports) -> Sequence[Run]:
    """List the runs on a cluster that are kept, the oldest first. Asks neither libvirt nor a node.

    :raises NotFoundError: if none is.
    """
    logs = (ports.history.events(cluster, run) for run in ports.history.runs(cluster))
    # Ids of the same second are in no order.
    runs = sorted((run_of(events) for events in logs if events), key=lambda run: run.began)
    if not runs:
        raise NotFoundError(
            f"No run on cluster '{cluster}' is kept on this host.",
            details="The log of a run is a file of the cluster, and `down` removes it with them. "
            "The option --events of `up` writes one that stays.",
            hint=f"bootstrap up {cluster} --events events.ndjson",
        )
    return runs


def timeline(cluster: ClusterName, wanted: str, ports: Ports) -> Report:
    """Return what there is to tell of a run: of the one with the id ``wanted``, or of the last.

    :raises NotFoundError: if no run is kept.
    :raises UsageError: if none of those that are kept is wanted.
    """
    runs = kept_runs(cluster, ports)
    chosen = runs[-1:] if wanted == LAST_RUN else [run for run in runs if run.id == wanted]
    if not chosen:
        raise UsageError(
            f"No run '{wanted}' on cluster '{cluster}' is kept.",
            details=f"Of {len(runs)} runs the logs are kept.",
            hint=f"bootstrap timeline {cluster} --list",
        )
    return report_of(chosen[0], runs)
