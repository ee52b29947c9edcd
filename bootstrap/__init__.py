"""A real Kubernetes cluster on real virtual machines: one command, or this API.

``from bootstrap import Cluster`` loads the API when it is first asked for;
docs/how-to/python-api.md shows how to use it. Errors are those of ``bootstrap.errors``.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bootstrap.api import CancelToken, Client, Cluster, Event, Node

__all__ = ["CancelToken", "Client", "Cluster", "Event", "Node", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(importlib.import_module("bootstrap.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
