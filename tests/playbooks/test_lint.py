"""The linters of the Ansible content find nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHELL_PROGRAMS = (
    "ci/github",
    "playbooks/roles/container_images/files/import-images",
    "playbooks/roles/kubernetes_binaries/files/kubeadm-once",
)


def lint(tmp_path: Path, program: str, *arguments: str) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    found = shutil.which(program, path=path)
    if found is None:
        pytest.skip(f"{program} is not installed")
    # ansible-lint keeps a cache in the project unless it is told where else.
    environment = {"PATH": path, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [found, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_yamllint_finds_nothing(tmp_path: Path) -> None:
    lint(
        tmp_path,
        "yamllint",
        "--strict",
        "playbooks",
        ".ansible-lint",
        ".yamllint",
        "action.yml",
        "ci",
    )


@pytest.mark.timeout(600)
def test_ansible_lint_finds_nothing(tmp_path: Path) -> None:
    lint(tmp_path, "ansible-lint", "--offline", "playbooks")


@pytest.mark.parametrize("program", SHELL_PROGRAMS)
def test_shellcheck_finds_nothing(tmp_path: Path, program: str) -> None:
    lint(tmp_path, "shellcheck", program)
