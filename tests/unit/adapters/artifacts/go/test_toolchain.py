"""Every Go release that is new enough is used, and none that is older."""

from pathlib import Path

import pytest

from bootstrap.adapters.artifacts.go.toolchain import (
    find_toolchain,
    go_environment,
    installed_program,
    required_go,
)


def _fake_go(program: Path, says: str) -> None:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin" / "go"


@pytest.mark.parametrize("says", ["go1.26.6", "go1.26.10", "go1.27", "go1.27rc1", "go2.0.0"])
def test_a_go_that_is_new_enough_is_taken(on_path: Path, tmp_path: Path, says: str) -> None:
    _fake_go(on_path, f"go version {says} linux/arm64")
    found = find_toolchain(tmp_path, (1, 26, 6))
    assert found is not None
    assert (found.program, found.architecture) == (on_path, "arm64")
    assert found.name == f"{says}-linux-arm64"


@pytest.mark.parametrize(
    "says",
    ["go version go1.26.5 linux/amd64", "go version go1.9.7 linux/amd64", "gcc go 12", ""],
)
def test_a_go_that_is_older_or_no_go_at_all_is_not_taken(
    on_path: Path, tmp_path: Path, says: str
) -> None:
    _fake_go(on_path, says)
    assert find_toolchain(tmp_path, (1, 26, 6)) is None


def test_a_go_that_does_not_start_is_not_taken(on_path: Path, tmp_path: Path) -> None:
    on_path.parent.mkdir()
    on_path.write_bytes(b"\x7fELF of another machine")
    on_path.chmod(0o755)
    assert find_toolchain(tmp_path, (1, 26, 6)) is None


def test_the_installed_go_is_taken_where_the_one_on_path_is_old(
    on_path: Path, tmp_path: Path
) -> None:
    _fake_go(on_path, "go version go1.19.8 linux/amd64")
    ours = installed_program(tmp_path, (1, 26, 6))
    _fake_go(ours, "go version go1.26.9 linux/amd64")
    found = find_toolchain(tmp_path, (1, 26, 6))
    assert found is not None
    assert found.program == ours


def test_the_newest_go_line_of_all_modules_counts(tmp_path: Path) -> None:
    for name, line in (("a", "go 1.26.0"), ("b", "go 1.26.10"), ("c", "go 1.9")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "go.mod").write_text(f"module x\n\n{line}\n\nrequire y v1\n")
    assert required_go(tmp_path) == (1, 26, 10)


def test_the_users_settings_cannot_change_what_is_built_but_say_how_to_fetch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SEC-18: with -mod=readonly, go.sum says what every module must be."""
    for key in ("GOFLAGS", "GOROOT", "GOOS", "GOARCH", "GOTOOLCHAIN", "CGO_ENABLED", "GOPROXY"):
        monkeypatch.setenv(key, "theirs")
    environment = go_environment()
    assert environment["GOPROXY"] == "theirs"
    assert "-mod=readonly" in environment["GOFLAGS"].split()
    assert "theirs" not in {value for key, value in environment.items() if key != "GOPROXY"}


def test_how_often_compilers_collect_garbage_is_the_users_choice_if_it_was_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for key in ("GOGC", "GOMEMLIMIT"):
        monkeypatch.delenv(key, raising=False)
    assert (go_environment()["GOGC"], go_environment()["GOMEMLIMIT"]) == ("400", "2GiB")
    monkeypatch.setenv("GOGC", "50")
    assert (go_environment()["GOGC"], go_environment()["GOMEMLIMIT"]) == ("50", "2GiB")
