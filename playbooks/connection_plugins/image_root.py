"""Run modules inside a directory that holds a root file system, by chroot(8)."""

import shutil
import subprocess  # noqa: TID251 - Ansible loads this file apart from our package
from pathlib import Path

from ansible.errors import AnsibleFileNotFound
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = r"""
name: image_root
short_description: Run modules inside a root file system that is not booted
description:
  - The caller has mounted the file systems that the tree needs, and may call chroot(2).
options:
  remote_addr:
    description: The directory that holds the root file system.
    type: path
    required: true
    vars:
      - name: ansible_host
"""

# Nothing of the hypervisor host's environment may reach the image.
_ENVIRONMENT = {
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND": "noninteractive",
    # Programs must not take the hypervisor host's service manager for the image's.
    "SYSTEMD_OFFLINE": "1",
    # The image leaves it empty; the last role empties /tmp while its own module runs.
    "TMPDIR": "/run",
}


class Connection(ConnectionBase):
    """A connection to a root file system."""

    transport = "image_root"
    has_pipelining = True

    def _connect(self) -> "Connection":
        self._connected = True
        return self

    def exec_command(
        self, cmd: str, in_data: bytes | None = None, *, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        """Run one command in the tree and return its status and output."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        done = subprocess.run(
            ["chroot", self._root, "/bin/sh", "-c", cmd],  # noqa: S607 - from the caller's PATH
            input=in_data,
            stdin=None if in_data is not None else subprocess.DEVNULL,
            capture_output=True,
            env=_ENVIRONMENT,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the hypervisor host into the tree."""
        super().put_file(in_path, out_path)
        self._copy(Path(in_path), self._inside(out_path))

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the tree to the hypervisor host."""
        super().fetch_file(in_path, out_path)
        self._copy(self._inside(in_path), Path(out_path))

    def close(self) -> None:
        """Do nothing: there is no session."""
        self._connected = False

    @property
    def _root(self) -> Path:
        return Path(self.get_option("remote_addr"))

    def _inside(self, path: str) -> Path:
        return self._root / path.lstrip("/")

    def _copy(self, source: Path, target: Path) -> None:
        if not source.is_file():
            raise AnsibleFileNotFound(f"There is no file '{source}'.")
        shutil.copyfile(source, target)
