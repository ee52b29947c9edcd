"""G-09: whatever the file holds, it loads or ends in a ConfigError with its place.

The default run takes a fixed sample; BOOTSTRAP_FUZZ_EXAMPLES asks for another number, at
random.
"""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.config.starter import starter_file
from bootstrap.errors import ConfigError
from bootstrap.model.names import ClusterName

_COUNT = os.environ.get("BOOTSTRAP_FUZZ_EXAMPLES") or None
_fuzz = settings(
    max_examples=int(_COUNT or 300),
    derandomize=_COUNT is None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)

_CLUSTERS = Path(__file__).parents[2] / "data" / "clusters"
_SEEDS = [
    starter_file(ClusterName("demo")).encode(),
    *(path.read_bytes() for path in sorted(_CLUSTERS.glob("*.yaml"))),
]
#: Whatever means something to YAML, to Python or to a terminal.
_PIECES = [
    *(b"[", b"]", b"{", b"}", b": ", b"- ", b"? ", b", ", b"\n", b"\n  ", b"\t", b"|\n"),
    *(b"&a ", b"*a", b"!!", b"!<", b"<<: ", b"%YAML 1.1\n", b"---\n", b"...\n", b"'", b'"', b"\\"),
    *(b'"\\ud800"', b'"\\UFFFFFFFF"', b"\x00", b"\x1b[31m", b"\xff", b"\xe2\x80\xae"),
    *(b"1.30", b"017", b"0b_", b"no", b"~", b"52:54:00:12:34:56", b"2026-99-99", b"9" * 5000),
    *(b"nodes:", b"role: worker", b"count: 0", b"labels: ", b"10.0.0.0/8", b"{}", b"[key]"),
]  # fmt: skip


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    content = draw(st.sampled_from(_SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(content)))
        end = start + draw(st.sampled_from([0, 0, 1, 2, 8, 40]))
        piece = draw(st.sampled_from(_PIECES) | st.binary(max_size=4))
        content = content[:start] + piece * draw(st.sampled_from([1, 1, 2, 50])) + content[end:]
    return content


def _load_or_refuse(content: bytes, flags: Flags) -> None:
    with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
        file.write(content)
        file.flush()
        for line in _refusal(Path(file.name), flags):
            assert line.isprintable()
            assert line.startswith((f"{file.name}:", "--", "NAME", "and "))


def _refusal(path: Path | None, flags: Flags) -> list[str]:
    try:
        load_spec(path, flags)
    except ConfigError as error:
        return error.details.split("\n")
    return []


@_fuzz
@given(_mutated())
def test_a_mutated_file_loads_or_is_refused(content: bytes) -> None:
    _load_or_refuse(content, Flags())


@_fuzz
@given(_mutated())
def test_a_mutated_file_under_flags_loads_or_is_refused(content: bytes) -> None:
    flags = Flags(name="x", workers=2, control_planes=1, memory="2GiB", hypervisor_uri="x")
    _load_or_refuse(content, flags)


@_fuzz
@given(st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_text_loads_or_is_refused(content: bytes) -> None:
    _load_or_refuse(content, Flags())


@_fuzz
@given(st.lists(st.sampled_from(_PIECES), max_size=30).map(b"".join))
def test_any_pieces_of_yaml_load_or_are_refused(content: bytes) -> None:
    _load_or_refuse(content, Flags())


@_fuzz
@given(
    name=st.none() | st.text(max_size=50),
    memory=st.none() | st.text(max_size=10),
    disk=st.none() | st.text(max_size=10),
    uri=st.none() | st.text(max_size=20),
    workers=st.none() | st.integers(),
    cpus=st.none() | st.integers(),
    port=st.none() | st.integers(),
)
def test_any_flags_load_or_are_refused(  # noqa: PLR0913
    *,
    name: str | None,
    memory: str | None,
    disk: str | None,
    uri: str | None,
    workers: int | None,
    cpus: int | None,
    port: int | None,
) -> None:
    flags = Flags(
        name=name,
        memory=memory,
        disk=disk,
        hypervisor_uri=uri,
        workers=workers,
        cpus=cpus,
        api_server_port=port,
    )
    assert all(line.isprintable() for line in _refusal(None, flags))


@pytest.mark.parametrize("content", [b"[" * 262144, b"\n" * 262144, b"a b " * 65536, b"*" * 262144])
def test_a_file_of_the_largest_size_is_refused(content: bytes) -> None:
    """H-04."""
    with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
        file.write(content)
        file.flush()
        with pytest.raises(ConfigError):
            load_spec(Path(file.name), Flags())
