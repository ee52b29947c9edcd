"""The project under examples: what of it can be seen without machines."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from bootstrap.adapters.archives.reading import read_archive

PROJECT = Path(__file__).parents[2] / "examples" / "pytest"


@pytest.fixture
def images() -> ModuleType:
    spec = importlib.util.spec_from_file_location("images", PROJECT / "images.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_its_archive_is_one_that_can_be_loaded(images: ModuleType, tmp_path: Path) -> None:
    program = tmp_path / "node"
    program.write_bytes(b"a program")
    [image] = read_archive(images.write_image(tmp_path / "a.tar", "example.com/mine:1", program))
    assert image.name == "example.com/mine:1"


def test_its_tests_are_found_with_the_fixtures_that_they_ask_for(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT)
    plugins = ("-p", "bootstrap.pytest_plugin", "-p", "no:cacheprovider")
    outcome = pytester.runpytest_inprocess(*plugins, "--fixtures-per-test", str(PROJECT))
    outcome.stdout.fnmatch_lines(["k8s_clone -- *", "*test_own_image.py*", "*test_web.py*"])
    assert outcome.ret == pytest.ExitCode.OK
