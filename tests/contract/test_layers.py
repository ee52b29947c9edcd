"""The direction of imports, and what a command that only prints must not load."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("libvirt", "ansible", "ansible_runner", "paramiko", "pycdlib", "urllib3")


def test_imports_point_inwards(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("lint-imports")
    argv: list[str | Path] = [program, "--cache-dir", tmp_path]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["version"], ["schema"]])
def test_what_only_prints_loads_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\n"
        "from bootstrap.cli import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        f"    print(sorted({set(HEAVY)!r} & set(sys.modules)), file=sys.stderr)\n"
    )
    argv = [sys.executable, "-c", code, *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout
    assert done.stderr == "[]\n"


@pytest.mark.parametrize("command", ["list", "down"])
def test_help_of_a_command_loads_no_adapter(command: str) -> None:
    code = (
        "import sys\n"
        "from bootstrap.cli import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        f"    print(sorted({set(HEAVY)!r} & set(sys.modules)), file=sys.stderr)\n"
    )
    argv = [sys.executable, "-c", code, command, "--help"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert "Usage: bootstrap" in done.stdout
    assert done.stderr == "[]\n"
