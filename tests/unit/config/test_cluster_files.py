"""Every file in tests/data/clusters loads, or fails with the lines beside it."""

from pathlib import Path

import pytest

from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.errors import ConfigError

CLUSTERS = Path(__file__).parents[2] / "data" / "clusters"
VALID = sorted(path.name for path in CLUSTERS.glob("valid-*.yaml"))
INVALID = sorted(path.name for path in CLUSTERS.glob("invalid-*.yaml"))


@pytest.mark.parametrize("name", VALID)
def test_a_valid_file_loads(name: str) -> None:
    load_spec(CLUSTERS / name, Flags())


@pytest.mark.parametrize("name", INVALID)
def test_every_problem_of_an_invalid_file_is_reported_with_its_place(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P-08, P-13, K-04, H-04, H-05, SEC-10."""
    monkeypatch.chdir(CLUSTERS)
    with pytest.raises(ConfigError) as caught:
        load_spec(Path(name), Flags())
    error = caught.value
    assert f"{error.message}\n{error.details}\n" == Path(name).with_suffix(".txt").read_text()
    assert error.exit_code == 2
    assert error.hint == "bootstrap schema"


def test_every_file_in_the_folder_is_tested() -> None:
    named = {*VALID, *INVALID}
    assert {path.name for path in CLUSTERS.glob("*.yaml")} == named
    assert {path.stem for path in CLUSTERS.glob("*.txt")} == {Path(name).stem for name in INVALID}
