"""The page of a bundle: each of its steps can be typed."""

from bootstrap.model.bundle import Bundle, Part
from bootstrap.planning.bundle_readme import instructions
from bootstrap.resources import debian_packages
from tests.e2e.offline import steps

BUNDLE = Bundle(
    layout=1,
    created="2030-01-01T00:00:00+00:00",
    tool_version="0.1.0",
    kubernetes_version="v1.37.2",
    machine="x86_64",
    python="3.13",
    recipe="key",
    keys=dict.fromkeys(Part, "0123456789abcdef"),
    files={},
)


def test_the_steps_are_the_packages_the_tool_the_file_and_a_cluster() -> None:
    packages, tool, use, cluster = steps(instructions(BUNDLE, "k8s.bundle"))
    assert packages == [
        f"apt-get install --no-install-recommends {' '.join(debian_packages('run'))}"
    ]
    assert tool == [
        "tar -xf k8s.bundle README.md wheels",
        "python3 -m venv ~/bootstrap",
        "~/bootstrap/bin/pip install --no-index --find-links wheels bootstrap",
    ]
    assert use == ["~/bootstrap/bin/bootstrap bundle use k8s.bundle"]
    assert cluster == ["~/bootstrap/bin/bootstrap up demo"]


def test_a_name_with_a_space_is_quoted() -> None:
    page = instructions(BUNDLE, "a place")
    assert "tar -xf 'a place' " in page
    assert "x86_64" in page
    assert "Python 3.13" in page
