"""The page of the results as JSON: what each command prints where every adapter is a fake."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import click

from bootstrap.adapters.artifacts.store import Artifact
from bootstrap.composition import Composition
from bootstrap.model.names import ClusterName
from bootstrap.model.site import Site
from bootstrap.model.sources import Source
from bootstrap.ports import Finding, RunEvents
from docs.reference.generate.commands import leaves
from docs.reference.generate.examples import EXAMPLES, PLACEHOLDERS, SIMILAR
from docs.reference.generate.markdown import block, code, table
from tests.builders import FakePorts, FakeWorld, a_site, ports_with_fakes
from tests.fakes.archives import an_image_named
from tests.fakes.artifacts import FakeArtifacts
from tests.world import CommandLine

_HEAD = """\
# JSON results

This page is generated: the commands print this with `-o json` on a host where libvirt, the nodes
and the API server are replaced by the fakes of the tests. `-o yaml` prints the same as YAML, and
`-o name` only names. Long lists are cut. Later versions may add keys; ignore those that you do not
know.

`bootstrap kubeconfig NAME -o json` and `bootstrap inventory NAME -o json` print these files as
JSON.
"""
_TYPES = {str: "text", bool: "true or false", int: "number", float: "number", type(None): "null"}
_SHOWN = 2
Shape = tuple[tuple[str, str], ...]


def results() -> str:
    """Return the page of the results."""
    by_shape: dict[Shape, dict[str, object]] = {}
    with (
        TemporaryDirectory() as home,
        chdir(home),
        mock.patch.dict(os.environ, {"BOOTSTRAP_HOME": home}),
    ):
        for name in _commands():
            data = _settled(_printed(SIMILAR.get(name, name)))
            by_shape.setdefault(tuple(_keys(data)), {})[name] = data
    sections = (_section(shape, printed) for shape, printed in by_shape.items())
    return _HEAD + "".join(sections)


def _commands() -> Iterator[str]:
    """Yield each command that has a result as JSON of its own."""
    for name, command in leaves():
        kinds = [one.type for one in command.params if one.name == "output"]
        if any(isinstance(kind, click.Choice) and "text" in kind.choices for kind in kinds):
            yield name


def _printed(name: str) -> object:
    line = _command_line()
    words, before = EXAMPLES[name]
    for one in before:
        line.done(*one)
    return json.loads(line.done(*words, "-o", "json"))


def _settled(data: Any, key: str = "") -> object:  # noqa: ANN401 - of any shape
    """Put fixed values where they change from run to run, and cut long lists."""
    if key in PLACEHOLDERS:
        return PLACEHOLDERS[key]
    if isinstance(data, dict):
        return {name: _settled(value, name) for name, value in data.items()}
    return [_settled(one) for one in data[:_SHOWN]] if isinstance(data, list) else data


def _keys(data: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(data, dict) and path != "secondsByStep":
        for name, value in data.items():
            yield from _keys(value, f"{path}.{name}".lstrip("."))
    elif isinstance(data, list) and data and isinstance(data[0], dict):
        yield from _keys(data[0], f"{path}[]")
    else:
        yield path or "[]", _type(data)


def _type(value: object) -> str:
    if isinstance(value, list):
        return f"list of {_type(value[0]) if value else 'text'}"
    return "number of each name" if isinstance(value, dict) else _TYPES[type(value)]


def _section(shape: Shape, printed: Mapping[str, object]) -> str:
    names = list(printed)
    title = ", ".join(names)
    keys = table(["key", "type"], [(code(path), kind) for path, kind in shape])
    example = json.dumps(printed[names[0]], indent=2)
    return f"\n## {title}\n\n{keys}\n{block('json', example)}"


class _Ports(FakePorts):
    """Fakes, of the artefacts too."""

    def __init__(
        self,
        world: FakeWorld,
        site: Site,
        events: RunEvents,
        cluster: ClusterName | None,
    ) -> None:
        super().__init__(world, site, events, cluster)
        self.artifacts = _Artifacts(
            Path("/home/me/.cache/bootstrap/artifacts/KEY/images.tar"), ["kube"]
        )


class _Artifacts(FakeArtifacts):
    def list(self) -> list[Artifact]:
        return [
            Artifact(
                name="kube",
                version="v1.37.2",
                size_bytes=1,
                sha256="0" * 64,
                path=Path("/home/me/.cache/bootstrap/artifacts/KEY/kube"),
                made="2030-01-01T00:00:00+00:00",
            )
        ]


class _Composition(Composition):
    def diagnose(self, uri: str | None = None, source: Source = Source.AUTO) -> list[Finding]:
        assert (uri, source) == (None, Source.AUTO)  # noqa: S101 - the example names none
        found = "6.1 GiB"
        return [Finding(name="memory", ok=True, found=found, fix="")]


def _command_line() -> CommandLine:
    world = ports_with_fakes()
    world.archives.sources["app.tar"] = (an_image_named("example.test/app:1"),)
    return CommandLine(_Composition(ports=lambda _, *given: _Ports(world, a_site(), *given)))
