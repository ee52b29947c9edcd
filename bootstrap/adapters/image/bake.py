"""Make a node image's disk from a base system, inside namespaces of its own.

``python -m bootstrap.adapters.image.bake SPEC.json``, started by
:mod:`bootstrap.adapters.debian.namespace`. Prints one line for each thing done.
"""

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bootstrap.adapters.debian.namespace import mount_scratch
from bootstrap.adapters.image import disk, play, tree
from bootstrap.errors import BootstrapError

#: Begins the lines that name a phase; others are Ansible's tasks.
PHASE = "== "


@dataclass(frozen=True, slots=True, kw_only=True)
class BakeSpec:
    """What is baked, and where the result goes."""

    base_tar: str
    #: An empty directory that the worker covers with memory.
    scratch: str
    disk: str
    kernel: str
    initrd: str
    #: Gives the file system's UUID.
    key: str
    variables: Mapping[str, object]
    #: Run the playbook again and fail if that changes anything.
    is_run_twice: bool = False

    def write(self, path: Path) -> None:
        """Write the spec for the worker."""
        path.write_text(json.dumps(asdict(self)))


def bake(spec: BakeSpec, *, line: Callable[[str], None]) -> None:
    """Make disk, kernel and initial RAM disk."""
    scratch = Path(spec.scratch)
    root = scratch / "root"
    with _phase("unpack the base system", line):
        mount_scratch(scratch)
        tree.unpack(Path(spec.base_tar), root)
    with tree.kernel_file_systems(root):
        with _phase("run the playbook", line):
            play.run_playbook(root, scratch / "play", variables=spec.variables, line=line)
        if spec.is_run_twice:
            with _phase("run the playbook again", line):
                _check_second_run(spec, root, line=line)
    with _phase("clean up", line):
        tree.empty_directories(root)
        tree.take_boot_files(root, kernel=Path(spec.kernel), initrd=Path(spec.initrd))
        saved = tree.share_identical_files(root)
    line(f"shared {saved >> 20} MiB of identical files")
    with _phase("write the disk", line):
        identity = uuid.uuid5(uuid.NAMESPACE_OID, spec.key)
        disk.write_disk(root, Path(spec.disk), identity=identity)


def _check_second_run(spec: BakeSpec, root: Path, *, line: Callable[[str], None]) -> None:
    work = Path(spec.scratch) / "play-again"
    changed = play.run_playbook(root, work, variables=spec.variables, line=line)
    if changed:
        raise BootstrapError(
            "The second run of the node image's playbook changed the tree.",
            details="\n".join(changed),
        )


@contextmanager
def _phase(name: str, line: Callable[[str], None]) -> Iterator[None]:
    line(f"{PHASE}{name}")
    start = time.monotonic()
    yield
    line(f"took {time.monotonic() - start:.1f} s: {name}")


def main(arguments: list[str]) -> int:
    """Bake what the file named by the only argument says."""
    spec = BakeSpec(**json.loads(Path(arguments[0]).read_text()))
    try:
        bake(spec, line=lambda text: print(text, flush=True))  # noqa: T201 - the worker's output
    except BootstrapError as error:
        print(f"{error.message}\n{error.details}", flush=True)  # noqa: T201 - likewise
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
