"""`bootstrap snapshot`, `reset` and `up --from`, as a user types them."""

import json

import pytest
import yaml

from tests.unit.cli.conftest import FakeCommandLine as CommandLine


@pytest.fixture
def saved(demo: CommandLine) -> CommandLine:
    demo.done("snapshot", "save", "demo", "ready", "--note", "for tests")
    return demo


def test_the_life_of_a_snapshot(demo: CommandLine) -> None:
    text = demo.done("snapshot", "save", "demo", "ready")
    assert "Cluster 'demo' goes on and is verified." in text
    assert demo.done("snapshot", "list", "-o", "name") == "demo/ready\n"
    assert "is verified" in demo.done("snapshot", "restore", "demo", "ready")
    assert "is verified" in demo.done("snapshot", "restore", "demo")
    assert "Cluster 'twin' is verified" in demo.done("up", "twin", "--from", "demo/ready")
    assert "Cluster 'twin' is verified" in demo.done("up", "twin", "--from", "demo")
    assert "is verified" in demo.done("reset", "twin")
    assert "kept: snapshot 'demo/ready'" in demo.done("down", "demo")
    assert demo.done("snapshot", "delete", "demo", "ready") == "Snapshot 'demo/ready' is deleted.\n"
    assert demo.done("snapshot", "list") == "No snapshot exists.\n"
    assert demo.done("snapshot", "prune", "--keep", "0") == "Nothing to delete.\n"


def test_a_name_is_made_of_the_time(demo: CommandLine) -> None:
    demo.done("snapshot", "save", "demo", "--stop")
    assert demo.done("snapshot", "list", "-o", "name") == "demo/20300101-000000\n"


@pytest.mark.parametrize("command", [("show", "demo", "ready"), ("show", "demo")])
def test_all_is_shown(saved: CommandLine, command: tuple[str, ...]) -> None:
    data = json.loads(saved.done("snapshot", *command, "-o", "json"))
    assert (data["name"], data["note"], data["qemu"]) == ("demo/ready", "for tests", "7.2.22")
    assert data["nodes"] == ["control-plane", "worker"]
    assert data["sizeBytes"] > 0
    assert yaml.safe_load(saved.done("snapshot", *command, "-o", "yaml")) == data
    text = saved.done("snapshot", *command)
    assert "control-plane, worker" in text


def test_the_list_has_what_decides(saved: CommandLine) -> None:
    [header, row] = saved.done("snapshot", "list").splitlines()
    assert header.split()[:5] == ["SNAPSHOT", "CREATED", "KUBERNETES", "NODES", "SIZE"]
    assert row.startswith("demo/ready   2030-01-01T00:00:00+00:00")
    assert row.endswith("for tests")


def test_a_snapshot_tells_which_clusters_were_made_of_it(saved: CommandLine) -> None:
    saved.done("up", "twin", "--from", "demo/ready")
    assert "twin" in saved.done("snapshot", "list")
    assert json.loads(saved.done("snapshot", "list", "-o", "json"))[0]["restoredAs"] == ["twin"]
    assert json.loads(saved.done("snapshot", "show", "demo", "-o", "json"))["restoredAs"] == [
        "twin"
    ]


def test_a_cached_cluster_is_made_once(line: CommandLine) -> None:
    assert "made it" in line.run("up", "a", "--cached").stderr
    said = line.run("up", "b", "--cached")
    assert "Cloning snapshot 'cached/" in said.stderr
    assert "Cluster 'b' is verified" in said.stdout


def test_the_key_of_a_cached_cluster_is_that_of_its_snapshot(line: CommandLine) -> None:
    words = ("--workers", "2")
    error = line.failed(6, "snapshot", "key", *words)
    wanted = "--kubernetes-version v1.37.2 --kubelet-version v1.37.2 --source auto"
    assert f"hint: bootstrap image build {wanted}" in error
    line.done("image", "build")
    key = line.done("snapshot", "key", "any", *words).strip()
    assert line.done("snapshot", "key", *words, "-o", "name") == f"cached/{key}\n"
    assert line.done("snapshot", "key").strip() != key
    line.done("up", "a", *words, "--cached")
    data = json.loads(line.done("snapshot", "key", *words, "-o", "json"))
    assert data == {"key": key, "snapshot": f"cached/{key}", "saved": True}
    assert line.done("snapshot", "list", "-o", "name") == f"cached/{key}\n"


def test_a_variable_asks_for_the_cache(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOTSTRAP_CACHED", "1")
    line.done("up", "a")
    assert line.done("snapshot", "list", "-o", "name").startswith("cached/")


def test_down_with_snapshots(saved: CommandLine) -> None:
    assert "kept" not in saved.done("down", "demo", "--with-snapshots")
    assert saved.done("snapshot", "list", "-o", "name") == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("save", "demo", "Ready"), "is not a snapshot name"),
        (("restore", "demo", "x/y/z"), "is not a cluster name"),
        (("export", "demo", "ready", "/"), "exists, so it was left alone"),
        (("import", "/nowhere"), "does not exist"),
        (("prune",), "hint: bootstrap snapshot prune --keep 3"),
        (("prune", "--max-size", "20"), "write it like '20GiB'"),
        (("prune", "--older-than", "7"), "write it like '12h' or '7d'"),
        (("restore", "other"), "hint: bootstrap snapshot save other"),
    ],
)
def test_what_is_typed_wrongly(saved: CommandLine, words: tuple[str, ...], said: str) -> None:
    saved.world.journal.clear()
    assert said in saved.failed(2, "snapshot", *words)
    assert saved.world.journal.changes == []


@pytest.mark.parametrize("option", [("--workers", "2"), ("--memory", "4GiB")])
def test_a_clone_takes_no_option_of_a_cluster(saved: CommandLine, option: tuple[str, str]) -> None:
    said = saved.failed(2, "up", "twin", "--from", "demo/ready", *option)
    assert "--from takes no file and no option" in said


@pytest.mark.parametrize(
    ("size", "going"),
    [("1TiB", "Nothing to delete.\n"), ("0KiB", "Snapshot 'demo/ready' is deleted.\n")],
)
def test_prune_by_size(saved: CommandLine, size: str, going: str) -> None:
    assert saved.done("snapshot", "prune", "demo", "--max-size", size) == going


@pytest.mark.parametrize("age", ["1m", "1h", "1d", "1w"])
def test_prune_by_age(saved: CommandLine, age: str) -> None:
    assert saved.done("snapshot", "prune", "--older-than", age) == "Nothing to delete.\n"
