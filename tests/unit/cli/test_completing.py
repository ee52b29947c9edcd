"""What may stand in place of the word at which a user presses Tab."""

import shlex
from collections.abc import Sequence

import pytest

from bootstrap.cli.commands import Kind, command_table
from bootstrap.cli.completing import Answer, complete
from bootstrap.cli.typed import split_line

NAMES = {
    (Kind.CLUSTER, ""): ["ci", "demo"],
    (Kind.SAVED_CLUSTER, ""): ["ci", "demo", "gone"],
    (Kind.NODE, "demo"): ["control-plane", "worker", "worker2"],
    (Kind.SNAPSHOT, "demo"): ["ready", "loaded"],
    (Kind.ANY_SNAPSHOT, ""): ["demo/ready", "gone/ready"],
    (Kind.IMAGE, "demo"): ["docker.io/library/app:1"],
    (Kind.RUN, "demo"): ["last", "2030"],
}


def names(kind: str, cluster: str) -> Sequence[str]:
    return NAMES.get((Kind(kind), cluster), NAMES.get((Kind(kind), ""), []))


def answer(line: str) -> Answer:
    """Complete the last word of a line; one that ends with a space has an empty last word."""
    return complete([*shlex.split(line), *([""] if line[-1:] in ("", " ") else [])], names)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("stat", ["status"]),
        ("st", ["stop", "start", "status"]),
        ("-q sta", ["start", "status"]),
        ("snapshot de", ["delete"]),
        ("status ", ["ci", "demo"]),
        ("delete d", ["demo"]),
        ("status -o json d", ["demo"]),
        ("status --output=json d", ["demo"]),
        ("status -oyaml d", ["demo"]),
        ("down --all --hypervisor qemu:///session d", ["demo"]),
        ("status demo ", []),
        ("init ", []),
        ("ssh demo w", ["worker", "worker2"]),
        ("ssh demo worker ", []),
        ("ssh -- demo w", ["worker", "worker2"]),
        ("ssh ci w", []),
        ("stop demo worker w", ["worker2"]),
        ("cp demo w", ["worker:", "worker2:"]),
        ("cp demo -r ./notes w", ["worker:", "worker2:"]),
        ("cp demo worker:/etc", []),
        ("snapshot restore g", ["gone"]),
        ("snapshot save g", []),
        ("snapshot save demo ", []),
        ("snapshot restore demo r", ["ready"]),
        ("snapshot delete demo ready ", ["loaded"]),
        ("reset g", ["gone"]),
        ("up new --from g", ["gone/ready"]),
        ("up new --from=demo", ["--from=demo/ready"]),
        ("timeline demo --run ", ["last", "2030"]),
        ("timeline demo --run=2", ["--run=2030"]),
        ("image unload demo d", ["docker.io/library/app:1"]),
        ("status demo -o ", ["text", "json", "yaml", "name"]),
        ("status demo --output=y", ["--output=yaml"]),
        ("status demo --nothing=y", []),
        ("up --profile s", ["strict"]),
        ("down demo --hypervisor ", ["qemu:///session", "qemu:///system"]),
        ("status --exit", ["--exit-code"]),
        ("version -o json -", ["-h", "--help"]),
        ("kubectl demo -- get ", []),
        ("nonsense ", []),
        ("snapshot nonsense d", []),
    ],
)
def test_the_words_that_fit(line: str, words: list[str]) -> None:
    assert list(answer(line).words) == words


@pytest.mark.parametrize("name", ["$(id)", "a b", "a\nb", "a;b", "\x1b[2J", "*", "'"])
def test_a_name_that_a_shell_would_act_on_is_not_offered(name: str) -> None:
    assert complete(["status", ""], lambda *_: [name, "demo"]).words == {"demo": ""}
    assert list(complete(["cp", "demo", ""], lambda *_: [name, "w"]).words) == ["w:"]


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("up -f ", True),
        ("up --file=clus", True),
        ("cp demo no", True),
        ("cp demo worker:no", False),
        ("cp demo other:no", True),
        ("image load demo app", True),
        ("snapshot export demo ready ", True),
        ("up --events ", True),
        ("plan --picture ", True),
        ("status ", False),
        ("up --memory ", False),
        ("status demo --output=", False),
    ],
)
def test_where_a_file_fits(line: str, files: bool) -> None:  # noqa: FBT001 - what is expected
    assert answer(line).files is files


def test_commands_and_options_are_explained() -> None:
    assert answer("statu").words == {"status": command_table()["commands"]["status"]["summary"]}
    assert answer("up --use").words["--use"].startswith("Make the cluster")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("bootstrap", ["bootstrap"]),
        ("bootstrap ", ["bootstrap", ""]),
        ("bootstrap up -f 'my fi", ["bootstrap", "up", "-f", "my fi"]),
        ("bootstrap up -f my\\ fi", ["bootstrap", "up", "-f", "my fi"]),
        ("bootstrap cp demo ./a # b @", ["bootstrap", "cp", "demo", "./a", "#", "b", "@"]),
        ("bootstrap up demo\\", ["bootstrap", "up", "demo"]),
    ],
)
def test_a_line_is_split_as_bash_does(line: str, words: list[str]) -> None:
    assert split_line(line) == words
