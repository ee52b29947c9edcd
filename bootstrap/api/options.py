"""The options that make a cluster, by the names of the command line's."""

from typing import TypedDict


class ClusterOptions(TypedDict, total=False):
    """Each sets a field of the cluster file, which docs/reference/cluster-file.md describes."""

    workers: int | None
    control_planes: int | None
    cpus: int | None
    memory: str | None
    disk: str | None
    api_server_port: int | None
    profile: str | None
    security_profile: str | None
    kubernetes_version: str | None
    kubelet_version: str | None
    source: str | None
