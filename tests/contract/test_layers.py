"""The direction of imports, and what a command that only prints must not load."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("libvirt", "ansible", "ansible_runner", "paramiko", "pycdlib", "urllib3")
LAYERS = ("api", "adapters", "composition", "config", "planning", "ports", "workflow")
REPORTING = (".reporting", ".signals")


def test_imports_point_inwards(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("lint-imports")
    argv: list[str | Path] = [program, "--cache-dir", tmp_path]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["version"], ["schema"]])
def test_what_only_prints_loads_nothing_heavy(words: list[str]) -> None:
    assert loaded(*words) & set(HEAVY) == set()


def test_help_loads_no_command_and_nothing_that_only_commands_need() -> None:
    modules = loaded("--help")
    ours = {name for name in modules if name.startswith("bootstrap.cli.")}
    assert ours == {f"bootstrap.cli{name}" for name in (".commands", ".group", *REPORTING)}
    assert modules & {f"bootstrap.{name}" for name in LAYERS} == set()
    assert modules & {"jinja2", "platformdirs", "pydantic", "rich", "yaml"} == set()


@pytest.mark.parametrize("words", [["status", ""], ["up", "--"], ["cp", "demo", ""]])
def test_completion_loads_no_command_and_none_of_their_libraries(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_BOOTSTRAP_COMPLETE", "zsh")
    modules = loaded(*words)
    slow = {"asyncio", "click", "jinja2", "pydantic", "rich", "yaml", *HEAVY}
    assert modules & slow == set()
    assert {name for name in modules if name.startswith("bootstrap.cli.")} == {
        f"bootstrap.cli.{name}" for name in ("commands", "completing", "typed")
    }
    assert not any(name.startswith("bootstrap.workflow") for name in modules)


@pytest.mark.parametrize("command", ["list", "down"])
def test_help_of_a_command_loads_no_adapter(command: str) -> None:
    assert loaded(command, "--help") & set(HEAVY) == set()


def loaded(*words: str) -> set[str]:
    """Name the modules that are loaded when a command ends, which has to print something."""
    code = (
        "import sys\n"
        "from bootstrap.cli import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print(*sys.modules, file=sys.stderr)\n"
    )
    argv = [sys.executable, "-c", code, *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout
    return set(done.stderr.split())


def test_a_command_that_reads_loads_what_it_needs(tmp_path: Path) -> None:
    """No table of the cluster file, no templates, and none of the programs that `up` drives."""
    (tmp_path / "node.xml").write_text("<node/>")
    modules = loaded("list", "--hypervisor", f"test://{tmp_path}/node.xml")
    assert "libvirt" in modules
    heavy = {"pydantic", "jinja2", "rich", "cryptography", "yaml", *HEAVY}
    assert modules & heavy == {"libvirt"}
    ours = {"bootstrap.config.schema", "bootstrap.pictures.drawing", "bootstrap.workflow.up"}
    assert modules & ours == set()
