"""Names of container images, completed as Docker and the kubelet do."""

import pytest

from bootstrap.model.references import full_reference


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("app", "docker.io/library/app:latest"),
        ("app:1.2-x_Y", "docker.io/library/app:1.2-x_Y"),
        ("me/app", "docker.io/me/app:latest"),
        ("docker.io/app:1", "docker.io/library/app:1"),
        ("localhost/app:1", "localhost/app:1"),
        ("localhost:5000/a/b-c__d.e:1", "localhost:5000/a/b-c__d.e:1"),
        ("example.test:5000/app", "example.test:5000/app:latest"),
        ("host:5000/app", "host:5000/app:latest"),
    ],
)
def test_a_name_is_completed_once(text: str, full: str) -> None:
    assert full_reference(text) == full
    assert full_reference(full) == full


@pytest.mark.parametrize(
    "text",
    [
        *("", ":1", "/", "a/", "/a", "App", "a b", "-a", "a:", "a:-1", "a..b", "a@sha256:0", "a\n"),
        *("a:1\n", "--output=x", "$(id)", "a;b", "a:" + "1" * 129, "ä", "example.test/", "../a"),
        "a/" * 130 + "a",
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the name of a container image"):
        full_reference(text)
