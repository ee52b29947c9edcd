"""Reading any kind of file ends, with the reason if it fails."""

import os
from pathlib import Path

import pytest

from bootstrap.config.reading import MAX_BYTES, read_content
from bootstrap.errors import ConfigError


def _refusal(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read_content(path)
    return caught.value


def test_the_error_for_a_missing_file_has_the_command_that_makes_one(tmp_path: Path) -> None:
    error = _refusal(tmp_path / "x.yaml")
    assert error.message == f"Could not read the cluster file '{tmp_path}/x.yaml'."
    assert error.details == "No such file or directory"
    assert error.hint == "bootstrap init"
    assert error.exit_code == 2


def test_a_fifo_does_not_wait_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert _refusal(tmp_path / "fifo").details == "It is not a regular file."


@pytest.mark.parametrize("path", ["/", "/dev/zero", "/dev/null"])
def test_directories_and_devices_are_refused(path: str) -> None:
    assert _refusal(Path(path)).details == "It is not a regular file."


def test_a_dangling_or_circular_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert "symbolic links" in _refusal(tmp_path / "loop").details
    (tmp_path / "nowhere").symlink_to("missing")
    assert _refusal(tmp_path / "nowhere").details == "No such file or directory"


def test_a_path_with_a_nul_is_refused() -> None:
    error = _refusal(Path("x\0.yaml"))
    assert r"x\x00.yaml" in error.message


def test_at_most_one_byte_beyond_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse.yaml"
    with path.open("wb") as file:
        file.truncate(2**40)
    assert len(read_content(path)) == MAX_BYTES + 1


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(10):
        _refusal(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
