"""G-09, H-01 to H-05, SEC-10: no cluster file crashes the command, or costs much time or memory."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.errors import ConfigError
from tests import scale
from tests.faults.input.conftest import CORPUS, Loader
from tests.faults.input.worker import TAKEN

MOST_CPU_S = 1.0
MOST_KIB = 150 * 1024
CHILDREN = scale.trials(ci=6, long=200)
#: A place, a flag, or the line that says how many more there are.
_PROBLEM = re.compile(r"  (\S+cluster\.yaml:\d+:\d+: .*|and \d+ more\.)")
SEEDS = [path.read_bytes() for path in CORPUS]
#: Text with a meaning in YAML, Python, XML, Jinja, a shell or on a terminal.
PIECES = [
    *(b"[", b"]", b"{", b"}", b": ", b"- ", b"? ", b", ", b"\n", b"\n  ", b"\t", b"|\n", b">\n"),
    *(b"&a ", b"*a", b"!!", b"!<", b"<<: ", b"%YAML 1.1\n", b"---\n", b"...\n", b"'", b'"', b"\\"),
    *(b'"\\ud800"', b'"\\UFFFFFFFF"', b"\x00", b"\x1b[31m", b"\xff", b"\xe2\x80\xae"),
    *(b"1.30", b"017", b"0b_", b"no", b"~", b"52:54:00:12:34:56", b"2026-99-99", b"9" * 5000),
    *(b"1:" * 300, b"1_" * 99, b".inf", b"-0x", b"0o7", b"1e999", b"!!python/object:os.system"),
    *(b"nodes:", b"role: worker", b"count: 0", b"labels: ", b"10.0.0.0/8", b"{}", b"[key]"),
    *(b"../../etc/x", b"-oProxyCommand=x", b"x;rm -rf", b"</name>", b"{{ 1 }}", b"$(id)", b"\r\n"),
    b"\xef\xbb\xbf",
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Return a file of the corpus with parts removed, inserted, doubled or swapped."""
    content = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(content)))
        end = start + draw(st.sampled_from([0, 0, 1, 2, 8, 40]))
        piece = draw(st.sampled_from(PIECES) | st.binary(max_size=4) | st.just(content[start:end]))
        content = content[:start] + piece * draw(st.sampled_from([0, 1, 1, 2, 50])) + content[end:]
    return content


files = st.one_of(
    mutated(),
    st.binary(max_size=300),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join),
    # Up to what is read, and beyond.
    st.builds(lambda piece, size: piece * (size // len(piece)), st.sampled_from(PIECES),
              st.sampled_from([1000, 20_000, 262_144, 300_000])),
)  # fmt: skip


@contextlib.contextmanager
def note(name: str) -> Iterator[None]:
    """Name the file of the corpus that a failure is about."""
    try:
        yield
    except AssertionError as error:
        error.add_note(f"with {name}")
        raise


def judge(answer: Mapping[str, Any]) -> None:
    """Check one answer against the guarantees."""
    assert answer["traceback"] == ""
    assert not answer["libvirt"], "libvirt was imported"
    assert answer["cpu_s"] < MOST_CPU_S
    assert answer["rss_kib"] < MOST_KIB
    assert (answer["exit"], answer["stdout"]) == (2, "")
    judge_text(answer["stderr"])


def judge_text(text: str) -> None:
    """Check that a refusal has each problem with its place, and is safe to print."""
    lines = text.splitlines()
    assert all(line.isprintable() for line in text.split("\n"))
    if lines == [f"error: {TAKEN}"]:
        return
    assert lines[0].startswith("error: The cluster file")
    assert lines[-1].startswith("hint: bootstrap ")
    assert lines[1:-1]
    assert all(_PROBLEM.fullmatch(line) for line in lines[1:-1]), text


def test_every_file_of_the_corpus_is_loaded_or_refused(loader: Loader) -> None:
    for path, content in zip(CORPUS, SEEDS, strict=True):
        with note(path.name):
            judge(loader.load(content))


def test_any_content_is_loaded_or_refused(loader: Loader) -> None:
    taken = 0

    @scale.fuzzed(ci=1000, long=100_000)
    @given(files)
    def check(content: bytes) -> None:
        nonlocal taken
        answer = loader.load(content)
        judge(answer)
        taken += TAKEN in answer["stderr"]

    check()
    assert taken, "no mutation was valid, so what comes after loading was never reached"


@pytest.mark.parametrize("content", [b"[" * 262144, b"\n" * 262144, b"a b " * 65536, b"*" * 262144])
def test_a_file_of_the_largest_size_is_refused(loader: Loader, content: bytes) -> None:
    """H-04."""
    answer = loader.load(content)
    judge(answer)
    assert TAKEN not in answer["stderr"]


any_flags = st.builds(
    Flags,
    name=st.none() | st.text(max_size=50),
    memory=st.none() | st.text(max_size=10),
    disk=st.none() | st.text(max_size=10),
    hypervisor=st.none() | st.text(max_size=20),
    workers=st.none() | st.integers(),
    cpus=st.none() | st.integers(),
    api_server_port=st.none() | st.integers(),
)


@pytest.mark.parametrize("has_file", [True, False])
def test_any_flags_are_taken_or_refused(tmp_path: Path, *, has_file: bool) -> None:
    """G-09: with a file under them, and without."""
    file = tmp_path / "cluster.yaml"

    @scale.fuzzed(ci=300, long=20_000)
    @given(any_flags, mutated() if has_file else st.just(b""))
    def check(flags: Flags, content: bytes) -> None:
        file.write_bytes(content)
        try:
            load_spec(file if has_file else None, flags)
        except ConfigError as error:
            for line in error.details.split("\n"):
                assert line.isprintable()
                assert line.startswith((f"{file}:", "--", "NAME", "and "))

    check()


@pytest.mark.parametrize("number", range(CHILDREN))
def test_the_real_command_refuses_too(tmp_path: Path, number: int) -> None:
    """The same as a process of its own: one exit code, nothing on stdout, no traceback."""
    chance = scale.chance(f"child {number}")
    content = chance.choice(SEEDS) + b"\n" + chance.choice(PIECES) * chance.choice([1, 50])
    file = tmp_path / "cluster.yaml"
    # The last line makes certain that nothing is ever made of it.
    file.write_bytes(content + b"\n: [")
    done = subprocess.run(
        [sys.executable, "-m", "bootstrap", "up", "-f", str(file)],
        capture_output=True,
        check=False,
        timeout=100,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    judge_text(done.stderr.decode())
