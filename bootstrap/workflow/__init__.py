"""What the commands do, in the order of their steps; a module is loaded when it is first used.

So a caller of the API pays only for what it calls.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bootstrap.workflow import bundling as bundling
    from bootstrap.workflow import caching as caching
    from bootstrap.workflow import down as down
    from bootstrap.workflow import files as files
    from bootstrap.workflow import history as history
    from bootstrap.workflow import images as images
    from bootstrap.workflow import listing as listing
    from bootstrap.workflow import loading as loading
    from bootstrap.workflow import logs as logs
    from bootstrap.workflow import node_changes as node_changes
    from bootstrap.workflow import node_removal as node_removal
    from bootstrap.workflow import nodes as nodes
    from bootstrap.workflow import preview as preview
    from bootstrap.workflow import reaching as reaching
    from bootstrap.workflow import restoring as restoring
    from bootstrap.workflow import snapshots as snapshots
    from bootstrap.workflow import start as start
    from bootstrap.workflow import status as status
    from bootstrap.workflow import stop as stop
    from bootstrap.workflow import transfer as transfer
    from bootstrap.workflow import up as up
    from bootstrap.workflow import verification as verification
    from bootstrap.workflow import versions as versions
    from bootstrap.workflow import watching as watching
else:

    def __getattr__(name: str) -> ModuleType:
        try:
            return import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from error
