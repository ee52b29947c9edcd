"""Namespaces, trees and disks, with the real programs."""

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from bootstrap.adapters.debian import namespace
from bootstrap.adapters.image import disk
from bootstrap.adapters.process import run
from bootstrap.errors import BootstrapError, HostError
from bootstrap.resources import resource_directory
from bootstrap.waiting import NotYet, wait_for

WORKER = """
import os, subprocess, sys, time
from pathlib import Path
from bootstrap.adapters.debian.namespace import mount_scratch
scratch = Path(sys.argv[1])
mount_scratch(scratch)
(scratch / "file").write_text("in memory")
os.chown(scratch / "file", 33, 33)
(scratch.parent / "ready").write_text("yes")
subprocess.run(["sleep", sys.argv[2]])
"""


@pytest.fixture
def can_build() -> None:
    try:
        namespace.check(uid=os.getuid())
    except HostError as error:
        pytest.skip(f"{error.message} {error.details}")


def start_worker(tmp_path: Path, sleep_for: str) -> subprocess.Popen[bytes]:
    (tmp_path / "scratch").mkdir()
    command = [sys.executable, "-c", WORKER, str(tmp_path / "scratch"), sleep_for]
    words = [str(word) for word in namespace.argv(command, uid=os.getuid())]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(words, env=environment)


def is_running(marker: str) -> bool:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", marker.encode()]:
            return True
    return False


@pytest.mark.usefixtures("can_build")
def test_a_killed_worker_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    """G-01: its mounts are its own, and its children die with it."""
    # A length of sleep that no other process uses marks the grandchild.
    marker = f"{300 + os.getpid()}.25"
    worker = start_worker(tmp_path, marker)

    def ready() -> None:
        if not ((tmp_path / "ready").exists() and is_running(marker)):
            raise NotYet("the worker has not started")

    wait_for("the worker to start", ready, timeout_s=60, interval_s=0.05)
    assert list((tmp_path / "scratch").iterdir()) == []
    worker.kill()
    worker.wait()

    def gone() -> None:
        if is_running(marker):
            raise NotYet("the worker's child is still there")

    wait_for("the worker's child to die", gone, timeout_s=30, interval_s=0.05)
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
    shutil.rmtree(tmp_path / "scratch")


def refuse_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = tmp_path / "unshare"
    refusing.write_text('#!/bin/sh\necho "newuidmap: not allowed" >&2\nexit 1\n')
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)


def test_a_host_that_refuses_namespaces_is_named_with_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_namespaces(tmp_path, monkeypatch)
    with pytest.raises(HostError, match="refuses a user namespace") as caught:
        namespace.check(uid=1000, settings=tmp_path / "no-sys")
    assert "newuidmap: not allowed" in caught.value.details
    assert "usermod --add-subuids" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "refusing", "mended"),
    [
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("user.max_user_namespaces", "0", "15000"),
    ],
)
def test_a_kernel_setting_that_refuses_namespaces_is_named_with_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, refusing: str, mended: str
) -> None:
    """Ubuntu's AppArmor forbids mounts in a user namespace, in spite of /etc/subuid."""
    refuse_namespaces(tmp_path, monkeypatch)
    setting = tmp_path / "sys" / name.replace(".", "/")
    setting.parent.mkdir(parents=True)
    setting.write_text(f"{refusing}\n")
    with pytest.raises(HostError) as caught:
        namespace.check(uid=1000, settings=tmp_path / "sys")
    assert caught.value.hint == f"sudo sysctl -w {name}={mended}"
    assert f"{name} is {refusing}" in caught.value.details
    setting.write_text(f"{mended}\n")
    with pytest.raises(HostError) as caught:
        namespace.check(uid=1000, settings=tmp_path / "sys")
    assert "usermod --add-subuids" in caught.value.hint


def test_the_user_gets_ids_and_root_needs_none() -> None:
    assert "--user" not in namespace.argv(["true"], uid=0)
    assert {"--user", "--map-root-user", "--map-auto"} < set(namespace.argv(["true"], uid=1000))


def test_a_worker_that_fails_is_reported_with_its_last_words(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("as root, a namespace is always there")

    @dataclass
    class Wrong:
        tar: str

    with pytest.raises(BootstrapError) as caught:
        namespace.run_worker(
            "bootstrap.adapters.debian.packages",
            Wrong("/nowhere"),
            directory=tmp_path,
            action="fetch something",
            log=tmp_path / "log",
        )
    assert "TypeError" in caught.value.details
    assert "TypeError" in (tmp_path / "log").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    (made / "etc").mkdir(parents=True)
    (made / "etc/hostname").write_text("node\n")
    (made / "etc/hostname").chmod(0o640)
    (made / "bin").symlink_to("usr/bin")
    (made / "two").hardlink_to(made / "etc/hostname")
    # Reading moves a time of access that is not newer than the last change, and the disk has it.
    for path in (made, *made.rglob("*")):
        os.utime(path, (time.time() + 3600, path.lstat().st_mtime), follow_symlinks=False)
    return made


@pytest.fixture
def has_e2fsprogs(monkeypatch: pytest.MonkeyPatch) -> None:
    # As the worker has it: an ordinary user's PATH has no mkfs.ext4.
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin:/sbin")
    for program in ("mkfs.ext4", "debugfs", "e2fsck", "resize2fs"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


def e2(program: str, *arguments: str | Path) -> str:
    environment = {"PATH": os.environ["PATH"], "TZ": "UTC"}
    done = run([program, *arguments], action=f"run {program}", timeout_s=60, env=environment)
    return done.stdout


@pytest.mark.usefixtures("has_e2fsprogs")
def test_the_disk_holds_the_tree_and_is_sound(root: Path, tmp_path: Path) -> None:
    image = tmp_path / "disk.raw"
    disk.write_disk(root, image, identity=uuid.UUID(int=1))
    assert e2("debugfs", "-R", "cat /etc/hostname", image) == "node\n"
    status = e2("debugfs", "-R", "stat /etc/hostname", image)
    assert "Mode:  0640" in status
    assert "Links: 2" in status
    e2("e2fsck", "-fn", image)
    # Sparse: it is as big as it says, and takes what the tree takes.
    assert image.stat().st_blocks * 512 < image.stat().st_size / 4


@pytest.mark.usefixtures("has_e2fsprogs")
def test_the_disk_can_grow_to_a_nodes_size(root: Path, tmp_path: Path) -> None:
    image = tmp_path / "disk.raw"
    disk.write_disk(root, image, identity=uuid.UUID(int=1))
    os.truncate(image, 40 << 30)
    e2("e2fsck", "-fy", image)
    e2("resize2fs", image)
    e2("e2fsck", "-fn", image)
    assert "Block count:              10485760" in e2("dumpe2fs", "-h", image)


@pytest.mark.usefixtures("has_e2fsprogs")
def test_the_same_tree_gives_the_same_file_system(root: Path, tmp_path: Path) -> None:
    images = [tmp_path / "one.raw", tmp_path / "two.raw"]
    for image in images:
        disk.write_disk(root, image, identity=uuid.UUID(int=1))
    assert images[0].read_bytes() == images[1].read_bytes()
    # Both may have been written within one second, so the fixed moment is looked for too.
    assert "Filesystem created:       Sun Sep  9 01:46:40 2001" in e2("dumpe2fs", "-h", images[0])


@pytest.mark.usefixtures("can_build")
def test_a_tree_is_unpacked_without_devices_and_with_its_owners(tmp_path: Path) -> None:
    script = """
import sys
import time
import time
from pathlib import Path
from bootstrap.adapters.debian.namespace import mount_scratch
from bootstrap.adapters.image import tree
scratch, tar = Path(sys.argv[1]), Path(sys.argv[2])
mount_scratch(scratch)
source = scratch / "source"
(source / "dev").mkdir(parents=True)
(source / "dev/null").write_text("")
(source / "file").write_text("x")
import os, subprocess
os.chown(source / "file", 33, 44)
subprocess.run(["tar", "-cf", tar, "-C", source, "."], check=True)
tree.unpack(tar, scratch / "root")
with tree.kernel_file_systems(scratch / "root"):
    assert (scratch / "root/proc/self/status").exists()
    assert (scratch / "root/dev/null").is_char_device()
found = (scratch / "root/file").stat()
assert (found.st_uid, found.st_gid) == (33, 44)
for name in ("proc", "sys", "dev"):
    assert list((scratch / "root" / name).iterdir()) == []
"""
    (tmp_path / "scratch").mkdir()
    command: list[str | Path] = [sys.executable, "-c", script]
    command += [tmp_path / "scratch", tmp_path / "base.tar"]
    run(
        namespace.argv(command, uid=os.getuid()),
        action="unpack a tree",
        timeout_s=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


@pytest.mark.usefixtures("can_build")
def test_the_connection_works_inside_the_tree_and_reports(tmp_path: Path) -> None:
    """The tree is this host's own, with an empty /mnt for what is written."""
    script = """
import subprocess, sys
from pathlib import Path
from bootstrap.adapters.debian.namespace import mount_scratch
work = Path(sys.argv[1])
root = work / "root"
subprocess.run(["mount", "--rbind", "/", root], check=True)
mount_scratch(root / "mnt")
sys.exit(subprocess.run([*sys.argv[2:]]).returncode)
"""
    ansible = Path(sys.executable).with_name("ansible")
    if not ansible.exists():
        pytest.skip("Ansible's programs are not beside this interpreter")
    (tmp_path / "root").mkdir()
    (tmp_path / "source").write_text("to the tree\n")
    (tmp_path / "inventory.yml").write_text(json.dumps(_inventory(tmp_path / "root")))
    tasks = [
        {"ansible.builtin.copy": {"src": f"{tmp_path}/source", "dest": "/mnt/a", "mode": "0600"}},
        {"ansible.builtin.raw": "cat /mnt/a; echo offline $SYSTEMD_OFFLINE; ls /mnt"},
        {"ansible.builtin.fetch": {"src": "/mnt/a", "dest": f"{tmp_path}/back", "flat": True}},
        {"ansible.builtin.raw": "exit 3"},
    ]
    play = [{"hosts": "all", "gather_facts": False, "tasks": tasks}]
    (tmp_path / "play.yml").write_text(json.dumps(play))
    command: list[str | Path] = [sys.executable, "-c", script, tmp_path]
    command += [ansible.with_name("ansible-playbook"), "-v"]
    done = run(
        namespace.argv(
            [*command, "-i", tmp_path / "inventory.yml", tmp_path / "play.yml"], uid=os.getuid()
        ),
        action="run a play in a tree",
        timeout_s=100,
        check=False,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "HOME": str(tmp_path),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_CONFIG": str(tmp_path / "none.cfg"),
            "ANSIBLE_CONNECTION_PLUGINS": str(
                resource_directory("playbooks") / "connection_plugins"
            ),
        },
    )
    assert done.exit_status == 2, done.stdout + done.stderr
    assert '"rc": 3' in done.stdout
    assert '"to the tree", "offline 1", "a"' in done.stdout
    assert (tmp_path / "back").read_text() == "to the tree\n"


def _inventory(root: Path) -> dict[str, object]:
    host = {
        "ansible_connection": "image_root",
        "ansible_host": str(root),
        "ansible_python_interpreter": sys.executable,
        "ansible_remote_tmp": "/mnt",
    }
    return {"all": {"hosts": {"node_image": host}}}
