"""An image that the project has built itself, and that no registry has."""

from collections.abc import Callable
from pathlib import Path

import pytest
from images import write_image

from bootstrap import Client, Cluster

IMAGE = "example.com/mine:1"


@pytest.fixture
def program(k8s_client: Client) -> Path:
    """Return a static program that serves HTTP; a project of yours would build its own."""
    return next(one.path for one in k8s_client.artifacts() if one.name == "node")


def test_a_loaded_image_runs_on_every_node(
    k8s_clone: Cluster,
    program: Path,
    tmp_path: Path,
    deploy: Callable[..., list[str]],
    ask: Callable[[str, str], str],
) -> None:
    archive = write_image(tmp_path / "mine.tar", IMAGE, program)
    loaded = k8s_clone.load_image(archive)
    assert [image.name for image in loaded.images] == [IMAGE]
    assert deploy("mine", IMAGE, 2) == [node.name for node in k8s_clone.nodes()]
    assert ask("mine", "name").startswith("mine-")
