"""Make a node image's disk from a base system, inside namespaces of its own.

:mod:`bootstrap.adapters.debian.namespace` runs it. It prints one line for each thing done.
"""

import json
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.ansible.events import EventLog
from bootstrap.adapters.ansible.playbook import run_playbook
from bootstrap.adapters.debian.namespace import worker_main
from bootstrap.adapters.image import disk, network, tree
from bootstrap.resources import resource_directory

#: The lines of phases begin with it; others are those of Ansible's tasks.
PHASE = "== "
#: The files that it makes, in the worker's directory.
DISK, KERNEL, INITRD = "disk.raw", "vmlinuz", "initrd.img"
_HOST = "node_image"


@dataclass(frozen=True, slots=True, kw_only=True)
class BakeSpec:
    """What is baked."""

    base_tar: str
    #: Determines the file system's UUID.
    key: str
    variables: Mapping[str, object]
    #: How this host reaches a registry, if images are pulled from one; see ``network``.
    network: Mapping[str, str] | None = None


def bake(spec: BakeSpec, scratch: Path, output: Path) -> None:
    """Make disk, kernel and initial RAM disk in ``output``."""
    root = scratch / "root"
    with _phase("unpack the base system"):
        tree.unpack(Path(spec.base_tar), root)
    if spec.network is not None:
        network.bring(spec.network, root)
    with tree.kernel_file_systems(root), _phase("run the playbook"):
        _play(spec, root, scratch / "play")
    with _phase("clean up"):
        tree.empty_directories(root)
        tree.take_boot_files(root, kernel=output / KERNEL, initrd=output / INITRD)
        tree.share_identical_files(root)
    with _phase("write the disk"):
        identity = uuid.uuid5(uuid.NAMESPACE_OID, spec.key)
        disk.write_disk(root, output / DISK, identity=identity)


def _play(spec: BakeSpec, root: Path, directory: Path) -> None:
    """Run ``node-image.yml`` on the tree."""
    directory.mkdir(mode=0o700)
    inventory = directory / "inventory.json"
    inventory.write_text(json.dumps(_inventory(root)))
    events = EventLog(line=_print)
    playbook = resource_directory("playbooks") / "node-image.yml"
    run_playbook(playbook, directory, inventory=inventory, variables=spec.variables, events=events)
    events.result([_HOST])


def _inventory(root: Path) -> dict[str, object]:
    host = {
        "ansible_connection": "image_root",
        "ansible_host": str(root),
        "ansible_python_interpreter": "/usr/bin/python3",
        # Below /run, which the image leaves empty.
        "ansible_remote_tmp": "/run/ansible",
    }
    return {"all": {"hosts": {_HOST: host}}}


@contextmanager
def _phase(name: str) -> Iterator[None]:
    _print(f"{PHASE}{name}")
    start = time.monotonic()
    yield
    _print(f"took {time.monotonic() - start:.1f} s: {name}")


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the worker's output


if __name__ == "__main__":
    sys.exit(worker_main(bake, BakeSpec))
