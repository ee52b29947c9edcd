"""Load a cluster file from a text."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.errors import ConfigError
from bootstrap.model.spec import ClusterSpec

Load = Callable[..., ClusterSpec]
Problems = Callable[..., list[str]]

HEAD = "apiVersion: bootstrap.dev/v1alpha1\nkind: Cluster\n"


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load ``text``, put behind apiVersion and kind, with flags."""
    monkeypatch.chdir(tmp_path)

    def call(text: str = "", **flags: object) -> ClusterSpec:
        Path("x.yaml").write_text(HEAD + text, encoding="utf-8")
        return load_spec(Path("x.yaml"), Flags(**flags))  # type: ignore[arg-type]

    return call


@pytest.fixture
def problems(load: Load) -> Problems:
    """Return the problems that are reported for ``text``."""

    def call(text: str = "", **flags: object) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(text, **flags)
        return caught.value.details.split("\n")

    return call
