"""`bootstrap snapshot` and `bootstrap reset`: save whole clusters and go back to them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import click

from bootstrap.cli.context import client, cluster
from bootstrap.cli.keys import snapshot_key
from bootstrap.cli.output import output_option, table, write
from bootstrap.cli.reporting import reporting_options
from bootstrap.cli.results import write_verified
from bootstrap.cli.sizes import DURATION, SIZE, bytes_text
from bootstrap.errors import UsageError
from bootstrap.model.names import ClusterName
from bootstrap.model.snapshot import Snapshot
from bootstrap.ports import RunEvents

_HEADER = "SNAPSHOT,CREATED,KUBERNETES,NODES,SIZE,CERTIFICATES END,RESTORED AS,NOTE"


@click.group()
def snapshot() -> None:
    """Save whole clusters, with the memory of their machines, and go back to them in seconds."""


snapshot.add_command(snapshot_key)


@snapshot.command()
@click.argument("name")
@click.argument("saved", metavar="[SNAPSHOT]", required=False)
@click.option("--stop", is_flag=True, help="Stop the cluster afterwards.")
@click.option("--note", default="", help="Say what it is for.")
@output_option
@reporting_options
def save(  # noqa: PLR0913 - one argument for each option
    *, name: str, saved: str | None, stop: bool, note: str, output: str, events: RunEvents
) -> None:
    """Verify a cluster, save it, and verify that it has gone on.

    Its machines are frozen for seconds. Without SNAPSHOT the time is the name.
    """
    result = cluster(name, events=events).snapshot(saved, note=note, stop=stop)
    chosen = result.snapshot.id
    size = bytes_text(result.snapshot.size_bytes)
    after = "is stopped" if stop else "goes on and is verified"
    text = f"Snapshot '{chosen}' has {size}. Cluster '{name}' {after}."
    data = {**_data(result.snapshot), "verified": not stop}
    write(output, data, text=text, names=[str(chosen)], events=events)


@snapshot.command()
@click.argument("name")
@click.argument("saved", metavar="[SNAPSHOT]", required=False)
@output_option
@reporting_options
def restore(name: str, saved: str | None, output: str, events: RunEvents) -> None:
    """Make a cluster what it was when it was saved, and verify it.

    What it has become since is lost. A cluster that is gone comes back. Without SNAPSHOT the
    newest one is meant.
    """
    write_verified(cluster(name, events=events).restore(saved), output, events)


@click.command()
@click.argument("name")
@output_option
@reporting_options
def reset(name: str, output: str, events: RunEvents) -> None:
    """Take a cluster back to its newest snapshot, or a clone to the one that it was made of."""
    write_verified(cluster(name, events=events).reset(), output, events)


@snapshot.command(name="list")
@click.argument("name", required=False)
@output_option
def list_snapshots(name: str | None, output: str) -> None:
    """List the snapshots of a cluster, or of all."""
    found = client().snapshots(name)
    clusters = client().clusters_of_snapshots()
    rows = [
        [
            one.id,
            one.created,
            one.kubernetes_version,
            len(one.nodes),
            bytes_text(one.size_bytes),
            _end(one) or "unknown",
            ", ".join(map(str, clusters.get(str(one.id), ()))),
            one.note,
        ]
        for one in found
    ]
    text = table(_HEADER.split(","), rows) if rows else "No snapshot exists."
    data = [_data(one) | _restored_as(one, clusters) for one in found]
    write(output, data, text=text, names=[str(one.id) for one in found])


@snapshot.command()
@click.argument("name")
@click.argument("saved", metavar="[SNAPSHOT]", required=False)
@output_option
def show(name: str, saved: str | None, output: str) -> None:
    """Show all that is known of a snapshot; without SNAPSHOT, of the newest one."""
    found = client().snapshot(_full(name, saved))
    data = _data(found) | _restored_as(found, client().clusters_of_snapshots())
    width = max(map(len, data))
    text = "\n".join(f"{key:{width}}   {_line(value)}" for key, value in data.items())
    write(output, data, text=text, names=[str(data["name"])])


@snapshot.command()
@click.argument("name")
@click.argument("saved", metavar="SNAPSHOT...", nargs=-1, required=True)
@output_option
@reporting_options
def delete(name: str, saved: tuple[str, ...], output: str, events: RunEvents) -> None:
    """Delete snapshots; clusters that were made of them have disks of their own and stay."""
    chosen = [_full(name, one) for one in saved]
    client(events=events).delete_snapshots(*chosen)
    _write_deleted(chosen, output, events)


@snapshot.command()
@click.argument("name")
@click.argument("saved", metavar="SNAPSHOT")
@click.argument("file", type=click.Path(path_type=Path))
@output_option
@reporting_options
def export(name: str, saved: str, file: Path, output: str, events: RunEvents) -> None:
    """Write a snapshot and its node images into one new FILE, for a host of the same kind.

    It holds every secret of the cluster.
    """
    chosen = _full(name, saved)
    found = client(events=events).export_snapshot(chosen, file)
    text = f"Snapshot '{chosen}' is in '{file}'."
    write(output, _data(found), text=text, names=[chosen], events=events)


@snapshot.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@output_option
@reporting_options
def import_(file: Path, output: str, events: RunEvents) -> None:
    """Take a snapshot out of a FILE of `export`. Only from people whom you trust with this host."""
    found = client(events=events).import_snapshot(file)
    text = f"Snapshot '{found.id}' is here."
    write(output, _data(found), text=text, names=[str(found.id)], events=events)


@snapshot.command()
@click.argument("name", required=False)
@click.option("--keep", type=click.IntRange(min=0), help="How many of each cluster stay.")
@click.option("--older-than", type=DURATION, help="Delete what is older, as 12h or 7d.")
@click.option("--max-size", type=SIZE, help="Delete the oldest until all fit, as 20GiB.")
@output_option
@reporting_options
def prune(  # noqa: PLR0913 - one argument for each option
    *,
    name: str | None,
    keep: int | None,
    older_than: timedelta | None,
    max_size: int | None,
    output: str,
    events: RunEvents,
) -> None:
    """Delete the snapshots that are too many, too old or too large."""
    if keep is None and older_than is None and max_size is None:
        raise UsageError(
            "Say which snapshots are too many.", hint="bootstrap snapshot prune --keep 3"
        )
    removed = client(events=events).prune_snapshots(
        name, keep=keep, older_than=older_than, max_bytes=max_size
    )
    _write_deleted(removed, output, events)


def _full(name: str, saved: str | None) -> str:
    """Return ``CLUSTER/SNAPSHOT``, or ``CLUSTER`` for its newest one."""
    if saved is None:
        return name
    return saved if "/" in saved else f"{name}/{saved}"


def _write_deleted(deleted: Sequence[str], output: str, events: RunEvents) -> None:
    text = "\n".join(f"Snapshot '{one}' is deleted." for one in deleted) or "Nothing to delete."
    write(output, {"deleted": list(deleted)}, text=text, names=deleted, events=events)


def _data(one: Snapshot) -> dict[str, object]:
    return {
        "name": str(one.id),
        "created": one.created,
        "note": one.note,
        "kubernetesVersion": one.kubernetes_version,
        "acceleration": one.acceleration.value,
        "nodes": [node.name for node in one.nodes],
        "loadedImages": [image.name for archive in one.archives for image in archive.images],
        "images": list(one.images),
        "qemu": one.reader.qemu,
        "certificatesEnd": _end(one),
        "sizeBytes": one.size_bytes,
    }


def _restored_as(one: Snapshot, clusters: Mapping[str, Sequence[ClusterName]]) -> dict[str, object]:
    return {"restoredAs": [str(cluster) for cluster in clusters.get(str(one.id), ())]}


def _end(one: Snapshot) -> str | None:
    return one.certificates_end.isoformat(timespec="seconds") if one.certificates_end else None


def _line(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
