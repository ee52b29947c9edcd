"""The Python API, which the command line calls too.

Everything that a user can have done is a method of :class:`Cluster`, for one cluster, or of
:class:`Client`, for all.
"""

from bootstrap.api.client import Client
from bootstrap.api.cluster import Cluster
from bootstrap.api.members import Node
from bootstrap.api.options import ClusterOptions
from bootstrap.cancelling import CancelToken
from bootstrap.model.events import Event, Status, Step

__all__ = [
    "CancelToken",
    "Client",
    "Cluster",
    "ClusterOptions",
    "Event",
    "Node",
    "Status",
    "Step",
]
