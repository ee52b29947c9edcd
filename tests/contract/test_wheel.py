"""The wheel, installed away from the checkout, finds its templates, playbooks and modules."""

import json
import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build and unpack; the dependencies are those of the interpreter."""
    out, target = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("site")
    argv = [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(ROOT)]
    # Where the build backend is missing, pip fetches it into a place of its own.
    argv += ["--no-isolation"] if find_spec("hatchling") else []
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = out.glob("bootstrap-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def run(installed: Path, *words: str) -> str:
    """Run the installed package, in a directory that has nothing to do with it."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=Path.home(),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_installed_command_runs(installed: Path) -> None:
    answer = json.loads(run(installed, "-m", "bootstrap", "version", "-o", "json"))
    assert answer["kubernetes"]
    assert run(installed, "-m", "bootstrap", "init", "-f", "-").startswith("#")


@pytest.mark.parametrize("kind", ["templates", "playbooks", "artifacts"])
def test_the_data_is_that_of_the_wheel_and_whole(installed: Path, kind: str) -> None:
    code = f"from bootstrap.resources import resource_directory as d; print(d({kind!r}))"
    found = Path(run(installed, "-c", code).strip())
    assert found == installed / "bootstrap" / "_data" / kind
    assert _files(found) == _files(ROOT / kind)


def test_a_template_is_rendered_from_the_wheel(installed: Path) -> None:
    code = (
        "from bootstrap.rendering import render\n"
        "print(render('seed/meta-data.yaml.j2', {'instance_id': 'a', 'hostname': 'b'}))"
    )
    assert 'instance-id: "a"' in run(installed, "-c", code)


def test_the_wheel_names_its_command_and_holds_no_tests(installed: Path) -> None:
    (entry_points,) = installed.glob("*.dist-info/entry_points.txt")
    assert "bootstrap = bootstrap.__main__:main" in entry_points.read_text()
    assert not (installed / "tests").exists()
    assert not list(installed.rglob("*.pyc"))


def _files(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".ansible" not in path.parts
    }
