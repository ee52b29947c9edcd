"""The user's kubeconfig among other writers, killed writers and the real kubectl."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.adapters.kubeconfig import merge_into_user, remove_from_user
from bootstrap.model.kubeconfig import build_kubeconfig
from bootstrap.model.names import ClusterName
from tests.killing import killed_at

INSTALL = uuid.UUID(int=1)
DEMO = ClusterName("demo")
FOREIGN = """\
apiVersion: v1
kind: Config
clusters:
- cluster:
    server: https://prod  # careful
  name: prod
contexts:
- context: {cluster: prod, user: prod}
  name: prod
current-context: prod
users:
- name: prod
  user: {token: abc}
"""
PARALLEL_WRITERS = 20
KILLS = 20


fork = multiprocessing.get_context("fork")


def merge(cluster: ClusterName, path: Path, *, patience_s: float = 60, use: bool = False) -> None:
    document = build_kubeconfig(cluster, "https://127.0.0.1:6443", "ca", "crt", "key")
    merge_into_user(
        document,
        use=use,
        install_id=INSTALL,
        environ={"KUBECONFIG": str(path)},
        patience_s=patience_s,
    )


def remove(cluster: ClusterName, path: Path, *, patience_s: float = 60) -> list[str]:
    environ = {"KUBECONFIG": str(path), "HOME": str(path.parent)}
    return remove_from_user(cluster, INSTALL, environ, patience_s=patience_s)


def write_for_ever(path: Path) -> None:
    while True:
        merge(DEMO, path)
        remove(DEMO, path)


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.write_text(FOREIGN)
    return path


def test_parallel_writers_lose_nothing(config: Path) -> None:
    """G-12, R-02."""
    clusters = [ClusterName(f"demo{number}") for number in range(PARALLEL_WRITERS)]
    writers = [fork.Process(target=merge, args=(cluster, config)) for cluster in clusters]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {writer.exitcode for writer in writers} == {0}
    names = {entry["name"] for entry in yaml.safe_load(config.read_text())["users"]}
    assert names == {"prod", *(f"bootstrap-{cluster}" for cluster in clusters)}
    for cluster in clusters:
        assert remove(cluster, config) == []
    assert config.read_text() == FOREIGN


def test_killed_writers_never_damage_the_file(config: Path) -> None:
    """G-12, R-03: whatever a SIGKILL leaves, even the lock, is mended by the next run."""
    chance = random.Random(7)  # noqa: S311 - moments, not secrets
    for _ in range(KILLS):
        writer = fork.Process(target=write_for_ever, args=(config,))
        writer.start()
        writer.join(timeout=chance.uniform(0.005, 0.2))
        writer.kill()
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
        document = yaml.safe_load(config.read_text())
        assert document["clusters"][0]["name"] == "prod"
        merge(DEMO, config, patience_s=0)
        assert remove(DEMO, config) == []
        assert config.read_text() == FOREIGN
        assert [path.name for path in config.parent.iterdir()] == ["config"]


def test_a_kill_at_any_change_leaves_the_old_file_or_the_new_one(config: Path) -> None:
    """G-12: the same for every moment that there is, one after the other."""
    merge(DEMO, config)
    merged = config.read_text()
    remove(DEMO, config)
    point = 1
    while killed_at(point, lambda: merge(DEMO, config)):
        assert config.read_text() in (FOREIGN, merged)
        remove(DEMO, config)
        assert config.read_text() == FOREIGN
        assert not config.with_name("config.lock").exists()
        point += 1
    assert point > KILLS
    assert [path.name for path in config.parent.iterdir()] == ["config"]


@pytest.fixture(name="kubectl")
def _kubectl() -> str:
    path = os.environ.get("BOOTSTRAP_KUBECTL")
    if not path:
        pytest.skip("BOOTSTRAP_KUBECTL does not name a kubectl")
    return path


def ask(kubectl: str, config: Path, *words: str) -> str:
    return subprocess.run(
        [kubectl, "config", *words, "--kubeconfig", str(config)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout


def view(kubectl: str, config: Path) -> dict[str, Any]:
    seen = json.loads(ask(kubectl, config, "view", "--raw", "-o", "json"))
    assert isinstance(seen, dict)
    return seen


@pytest.mark.parametrize("cluster", ["demo", "no", "null"])
def test_kubectl_reads_the_own_kubeconfig(tmp_path: Path, kubectl: str, cluster: str) -> None:
    document = build_kubeconfig(ClusterName(cluster), "https://127.0.0.1:1", "ca", "crt", "key")
    (tmp_path / "own").write_text(yaml.safe_dump(document, sort_keys=False))
    seen = view(kubectl, tmp_path / "own")
    assert {key: seen[key] for key in document} == document


@pytest.mark.parametrize("cluster", ["demo", "no", "null"])
def test_kubectl_sees_both_the_foreign_and_our_entries(
    config: Path, kubectl: str, cluster: str
) -> None:
    before = view(kubectl, config)
    merge(ClusterName(cluster), config, use=True)
    seen = view(kubectl, config)
    assert [entry["name"] for entry in seen["users"]] == [f"bootstrap-{cluster}", "prod"]
    assert ask(kubectl, config, "current-context") == f"bootstrap-{cluster}\n"
    remove(ClusterName(cluster), config)
    assert view(kubectl, config) == before | {"current-context": ""}


def test_our_mark_survives_a_kubectl_that_writes_the_file_anew(config: Path, kubectl: str) -> None:
    merge(DEMO, config)
    ask(kubectl, config, "set-context", "bootstrap-demo", "--namespace=kube-system")
    ask(kubectl, config, "use-context", "bootstrap-demo")
    assert remove(DEMO, config) == []
    seen = view(kubectl, config)
    assert [entry["name"] for entry in seen["contexts"]] == ["prod"]
    assert seen["current-context"] == ""


def test_a_file_that_we_made_goes_after_kubectl_has_written_it_anew(
    tmp_path: Path, kubectl: str
) -> None:
    """G-01: kubectl keeps our mark on the file, and reads a file with it."""
    path = tmp_path / "new"
    merge(DEMO, path)
    ask(kubectl, path, "set-context", "mine", "--user=x")
    ask(kubectl, path, "use-context", "bootstrap-demo")
    ask(kubectl, path, "delete-context", "mine")
    assert ask(kubectl, path, "current-context") == "bootstrap-demo\n"
    assert remove(DEMO, path) == []
    assert list(tmp_path.iterdir()) == []


def test_kubectl_and_we_respect_the_same_lock(config: Path, kubectl: str) -> None:
    """SEC-32."""
    config.with_name("config.lock").touch()
    with pytest.raises(subprocess.CalledProcessError) as caught:
        ask(kubectl, config, "use-context", "prod")
    assert "config.lock" in caught.value.stderr


def test_kubectl_edits_of_our_entry_are_found(config: Path, kubectl: str) -> None:
    """H-19."""
    merge(DEMO, config)
    ask(kubectl, config, "set-cluster", "bootstrap-demo", "--server=https://192.0.2.1")
    assert remove(DEMO, config) == [f"cluster 'bootstrap-demo' in '{config}'"]
