"""SEC-10: only the plain part of YAML, with positions, within limits."""

import pytest

from bootstrap.config.problems import Place
from bootstrap.config.reading import MAX_BYTES
from bootstrap.config.strict_yaml import parse


def _messages(content: bytes) -> list[str]:
    return [problem.message for problem in parse(content).problems]


def test_every_value_and_key_has_a_place_counted_from_1() -> None:
    document = parse(b"a:\n  - b: 1\n    c: [x, 'y']\n")
    assert document.data == {"a": [{"b": 1, "c": ["x", "y"]}]}
    assert document.values[()] == Place(1, 1)
    assert document.values["a", 0, "b"] == Place(2, 8)
    assert document.values["a", 0, "c", 1] == Place(3, 12)
    assert document.keys["a", 0, "c"] == Place(3, 5)


def test_a_byte_order_mark_and_windows_line_ends_move_nothing() -> None:
    document = parse(b"\xef\xbb\xbfa: 1\r\nb: x\r\n")
    assert document.data == {"a": 1, "b": "x"}
    assert document.keys["a",] == Place(1, 1)
    assert document.values["b",] == Place(2, 4)


def test_quoted_and_block_scalars_are_text() -> None:
    document = parse(b"a: '1.30'\nb: \"no\"\nc: |\n  017\nd: >-\n  12\n")
    assert document.data == {"a": "1.30", "b": "no", "c": "017\n", "d": "12"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: &x 1", "the anchor '&x' is not supported; remove it"),
        (b"a: *x", "the alias '*x' is not supported; write the value out"),
        (b"a: !!python/name:os.system x", "the tag '!!python/name:os.system' is not supported; "),
        (b"a: ! x", "the tag '!' is not supported; remove it"),
        (b"<<: {a: 1}", "merge keys are not supported; write the values out"),
        (b"a: 1\na: 2", "is here twice, first on line 1; remove one"),
        (b"no: 1", 'the key no was read as the boolean false; write "no"'),
        (b"1: 1", 'the key 1 is not text; write "1"'),
        (b"? \n: 1", "a key is missing before this ':'"),
        (b"[a]: 1", "a key must be text, not a list, a mapping or an alias"),
        (b"%TAG ! tag:x,2026:\n---\na: 1", "directives such as %YAML are not supported; "),
        (b'a: "\\ud800"', "half a character (a surrogate) is not text; remove it"),
    ],
)
def test_yaml_beyond_the_plain_part_is_refused_and_reading_continues(
    content: bytes, message: str
) -> None:
    """H-05."""
    document = parse(content)
    assert [found.message[: len(message)] for found in document.problems] == [message]
    assert document.is_whole


def test_half_characters_leave_the_data() -> None:
    document = parse(b'"\\ud800": ["\\udfff"]')
    assert document.data == {"?": ["?"]}
    assert len(document.problems) == 2


def test_the_first_of_two_values_is_kept() -> None:
    document = parse(b"a: {b: 1}\na: {b: 2, c: 3}")
    assert document.data == {"a": {"b": 1}}
    assert len(document.problems) == 1


def test_an_alias_bomb_is_never_expanded() -> None:
    """H-04."""
    levels = [b"a0: &a0 [x]"]
    levels += [b"a%d: &a%d [%s]" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 9)]
    document = parse(b"\n".join(levels))
    assert document.data["a8"] == [None] * 9  # type: ignore[index]
    assert len(document.problems) == 81


@pytest.mark.parametrize(
    ("content", "message", "place"),
    [
        (b"[" * 5000, "values are nested more than 20 deep", Place(1, 21)),
        (b"{a: " * 5000, "values are nested more than 20 deep", Place(1, 81)),
        (b"- " * 5000, "values are nested more than 20 deep", Place(1, 41)),
        (b"? " * 5000, "values are nested more than 20 deep", Place(1, 41)),
        (b"[" + b"a," * 5000, "the file holds more than 4000 values", Place(1, 8000)),
        (b"a: 1\n" * 5000, "the file holds more than 4000 values", Place(4000, 4)),
        (b"#" * (MAX_BYTES + 1), "the file is larger than 256 KiB", Place(1, 1)),
        (b"#" * MAX_BYTES, "the file is empty", Place(1, 1)),
        (b"", "the file is empty", Place(1, 1)),
        (b"---\na: 1\n---\nb: 1", "a second document begins here; keep only one", Place(3, 1)),
        (b"a: 1\n\tb: 1", "a tab stands here; indent with spaces", Place(2, 1)),
        (b"a: 1\nb: \xff", "the file is not UTF-8 text", Place(2, 4)),
        ("a: \xe4\xe4\n".encode("utf-16"), "the file is not UTF-8 text", Place(1, 1)),
        (b"a: \x00", r"the control character '\x00' is not text; remove it", Place(1, 4)),
        (b"a: 1\n\x1b[2J", r"the control character '\x1b' is not text; remove it", Place(2, 1)),
        (b'"\\UFFFFFFFF"', "this is not YAML: a character or version number that ", Place(1, 4)),
        (b'"\\U00110000"', "this is not YAML: a character or version number that ", Place(1, 4)),
        (b"%YAML 1." + b"9" * 5000, "this is not YAML: a character or version ", Place(1, 9)),
        (b"a: [1", "this is not YAML: expected ',' or ']'", Place(1, 6)),
        (b"a: b: c", "this is not YAML: mapping values are not allowed here", Place(1, 5)),
    ],
)
def test_an_unreadable_file_has_one_problem_with_its_place(
    content: bytes, message: str, place: Place
) -> None:
    """H-04: and none of them recurses, hangs or ends in another exception."""
    document = parse(content)
    last = document.problems[-1]
    assert last.message[: len(message)] == message
    assert last.place == place
    assert document.data is None
    assert not document.is_whole


def test_twenty_levels_are_not_too_deep() -> None:
    assert _messages(b"[" * 20 + b"]" * 20) == []
    assert _messages(b"[" * 21 + b"]" * 21) == ["values are nested more than 20 deep"]
