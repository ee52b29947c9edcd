"""P-13, M24: an unquoted value that a parser may read otherwise never becomes text."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.config.plain_scalars import Trap, read_plain

_TRICKY = st.text(alphabet="0123456789.:_-+eExXoObynYNOFftrualseTRUE~<=", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("raw", "read_as"),
    [
        ("1.30", "the number 1.3"),
        ("52:54:00:12:34:56", "the number 41135085296"),
        ("017", "the number 15"),
        ("0o17", "a number"),
        ("1e3", "a number"),
        ("1_000", "the number 1000"),
        ("0b_", "a number"),
        (".inf", "the number inf"),
        ("no", "the boolean false"),
        ("On", "the boolean true"),
        ("y", "the boolean true"),
        ("True", "the boolean true"),
        ("2026-08-30", "a date"),
        ("2026-99-99", "a date"),
        ("~", "null"),
        ("=", "a sign of YAML's own"),
        ("1" * 60, f"the number {'1' * 60}"),
        ("1" * 61, "a number"),  # long ones are not computed, which takes minutes
        ("1" * 5000, "a number"),
        ("1" + ":1" * 100_000, "a number"),
    ],
)
def test_a_value_that_yaml_does_not_read_as_text_is_a_trap(raw: str, read_as: str) -> None:
    assert read_plain(raw) == Trap(raw, read_as)


@pytest.mark.parametrize(
    ("raw", "value"),
    [("12", 12), ("-3", -3), ("0", 0), ("true", True), ("false", False), ("", None)],
)
def test_values_that_every_parser_reads_alike_are_accepted(raw: str, value: object) -> None:
    assert read_plain(raw) == value
    assert type(read_plain(raw)) is type(value)


@pytest.mark.parametrize("raw", ["v1.37.2", "demo", "1.2.3", "10.0.0.0/8", "2GiB", "nope", "1-2"])
def test_plain_text_is_text(raw: str) -> None:
    assert read_plain(raw) == raw


@settings(max_examples=300, derandomize=True, deadline=None)
@given(_TRICKY)
def test_no_value_that_yaml_reads_otherwise_becomes_text(raw: str) -> None:
    try:
        node = yaml.compose(raw, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return
    if not isinstance(node, yaml.ScalarNode) or node.value != raw or node.style:
        return
    if isinstance(read_plain(raw), str):
        assert node.tag == "tag:yaml.org,2002:str"
