"""The wheels of a bundle install this tool where there is no package index.

Making them takes packages that pip has not cached from the index of this host, and compiles
libvirt's module, so this test needs that index, and minutes.
"""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bootstrap.adapters.bundles.wheels import make_wheels
from tests.fakes.events import FakeEvents

pytestmark = pytest.mark.timeout(900)
_REPACK = """
import sys
from importlib.metadata import distribution
from pathlib import Path
from bootstrap.adapters.bundles.own_wheel import write_wheel
print(write_wheel(distribution("bootstrap"), Path(sys.argv[1])))
"""


def run(*words: str | Path) -> str:
    """Run a program that knows of no index, no proxy and no other place of packages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment = {**kept, "PIP_NO_INDEX": "1", "PYTHONPATH": ""}
    done = subprocess.run(
        words, env=environment, cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("bundle")
    directory = place / "wheels"
    directory.mkdir()
    make_wheels(directory, place / "wheels.log", FakeEvents())
    assert sorted(path.name for path in place.iterdir()) == ["wheels", "wheels.log"]
    return directory


@pytest.fixture(scope="module")
def installed(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment as the bundle's page makes it; the directory of its programs."""
    place = tmp_path_factory.mktemp("offline") / "venv"
    run(sys.executable, "-m", "venv", place)
    run(place / "bin/pip", "install", "--no-index", "--find-links", wheels, "bootstrap")
    return place / "bin"


def test_the_wheels_install_the_tool_without_an_index(installed: Path) -> None:
    assert "bundle" in run(installed / "bootstrap", "--help")
    code = (
        "import libvirt, bootstrap; from bootstrap.resources import debian_packages;"
        "assert debian_packages('run'); print(bootstrap.__file__)"
    )
    place = run(installed / "python", "-c", code).strip()
    assert Path(place).is_relative_to(installed.parent)


def test_the_versions_are_those_that_run_here(wheels: Path) -> None:
    import pydantic  # noqa: PLC0415 - any of the dependencies

    assert list(wheels.glob(f"pydantic-{pydantic.VERSION}-*.whl"))
    assert {path.suffix for path in wheels.iterdir()} == {".whl"}
    assert not list(wheels.glob("pytest-*"))


def test_an_installed_tool_writes_its_own_wheel_again(
    wheels: Path, installed: Path, tmp_path: Path
) -> None:
    """Without the checkout: so a host that has used a bundle can write one."""
    (made,) = wheels.glob("bootstrap-*.whl")
    again = Path(run(installed / "python", "-c", _REPACK, tmp_path).strip())
    assert again.name == made.name
    assert _files(again) == _files(made)
    records = [_record(wheel) for wheel in (again, made)]
    assert records[0] == records[1]


def _files(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/RECORD")]
        return {name: archive.read(name) for name in names}


def _record(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/RECORD"))
        return sorted(archive.read(name).decode().split())
