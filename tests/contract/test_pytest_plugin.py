"""The pytest plugin in several processes of pytest-xdist, which share nothing but the cache."""

import os
import subprocess
import sys
from pathlib import Path

from tests.builders import INSTALL

ROOT = Path(__file__).parents[2]
CONFTEST = f"""
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from bootstrap import Client
from bootstrap.adapters.snapshots.store import SnapshotStore
from tests.builders import ports_with_fakes
from tests.unit.api.conftest import composition_of

PLACE = Path(__file__).parent
STORE = SnapshotStore(PLACE / "snapshots", UUID("{INSTALL}"), locks=PLACE / "locks")
WORLD = replace(ports_with_fakes(), snapshots=STORE)


def note(event):
    if event.detail.startswith("Cloning"):
        # What the API server in the saved memory knows, which each process has a fake of.
        WORLD.api.is_up = True
        WORLD.api.nodes = dict.fromkeys(("control-plane", "worker"), "Ready")
    if event.status == "note":
        with (PLACE / "notes").open("a") as file:
            file.write(event.detail + "\\n")


@pytest.fixture(scope="session")
def k8s_client():
    return Client(composition=composition_of(WORLD), on_event=note)


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left():
    yield
    assert WORLD.hypervisor.domains() == []
"""
TESTS = """
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", range(4))
def test_it(k8s_clone, number, worker_id):
    assert k8s_clone.name.startswith(f"pytest-{worker_id}-")
    with Path(__file__).with_name("names").open("a") as file:
        file.write(k8s_clone.name + "\\n")
"""


def test_one_process_makes_the_cluster_and_every_clone_has_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TESTS)
    plugins = ["-p", "bootstrap.pytest_plugin", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "-n", "2", "--dist", "each", str(tmp_path)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    names = (tmp_path / "names").read_text().split()
    assert {name.split("-")[1] for name in names} == {"gw0", "gw1"}
    assert len(set(names)) == 8
    notes = (tmp_path / "notes").read_text()
    assert notes.count("made it, and save it") == 1
    assert notes.count("Cloning snapshot") == 7
