"""Change a kubeconfig's text where its content changes, and nowhere else (H-20).

A YAML library that loads and dumps would lose comments, order or quotes. So the places of
the changed entries are looked up, dumped entries are put there, and the result is read
back. Where that does not give what was wanted, the whole document is dumped.
"""

import contextlib
import json
import math
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import yaml

from bootstrap.adapters.kubeconfig.reading import Loader, parse
from bootstrap.model.kubeconfig import Document


class _Edit(NamedTuple):
    start: int
    end: int
    replacement: str


def edited(text: str, before: Document, after: Document) -> str:
    """Give the text that says ``after``, where ``text`` says ``before``.

    The text stays the very same if nothing changes.
    """
    if after == before:
        return text
    if text.lstrip().startswith("{"):
        with contextlib.suppress(ValueError):
            json.loads(text)
            return json.dumps(after, indent=2) + "\n"
    with contextlib.suppress(ValueError, LookupError):
        candidate = _spliced(text, before, after)
        if parse(candidate) == after:
            return candidate
    return _dump(after)


def _spliced(text: str, before: Document, after: Document) -> str:
    text = text if text.endswith("\n") or not text else f"{text}\n"
    root = yaml.compose(text, Loader=Loader)
    if root is None:
        return text + _dump(after)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise ValueError("a document in braces has no lines to edit")
    nodes = {key.value: (key, value) for key, value in root.value}
    margin, end = root.start_mark.column, _line_after(text, root)
    edits = [
        _Edit(_line_of(text, nodes[key][0].start_mark.index), _line_after(text, nodes[key][1]), "")
        for key in before.keys() - after.keys()
    ]
    for key, value in after.items():
        if key not in before:
            edits.append(_Edit(end, end, _dump({key: value}, margin)))
        elif before[key] != value:
            edits.append(_edit(text, nodes[key], before[key], value))
    return _apply(text, edits)


def _apply(text: str, edits: Sequence[_Edit]) -> str:
    pieces, place = [], 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        pieces += [text[place : edit.start], edit.replacement]
        place = edit.end
    return "".join([*pieces, text[place:]])


def _edit(text: str, pair: tuple[yaml.Node, yaml.Node], before: Any, after: Any) -> _Edit:  # noqa: ANN401 - any YAML
    key, value = pair
    if isinstance(value, yaml.SequenceNode) and not value.flow_style and after:
        return _edit_items(text, value, before, after)
    start = _line_of(text, key.start_mark.index)
    name_and_value = {key.value: after}
    return _Edit(start, _line_after(text, value), _dump(name_and_value, key.start_mark.column))


def _edit_items(text: str, node: yaml.Node, before: list[Any], after: list[Any]) -> _Edit:
    """Replace only those items that lie between the equal ones at both ends."""
    head = _equal_items(before, after)
    tail = _equal_items(before[head:][::-1], after[head:][::-1])
    old = node.value[head : len(before) - tail]
    new = after[head : len(after) - tail]
    start = _line_of_item(text, node.value[head]) if old else _line_after_item(text, node, head)
    end = _line_after(text, old[-1]) if old else start
    return _Edit(start, end, _dump(new, node.start_mark.column) if new else "")


def _equal_items(left: list[Any], right: list[Any]) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((i for i, (a, b) in pairs if a is not b and a != b), min(len(left), len(right)))


def _line_after_item(text: str, node: yaml.Node, index: int) -> int:
    return _line_after(text, node.value[index - 1]) if index else _line_of_item(text, node.value[0])


def _line_of_item(text: str, item: yaml.Node) -> int:
    """Find the line of the item's dash, which may stand above it."""
    return _line_of(text, text.rindex("-", 0, item.start_mark.index))


def _line_of(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _line_after(text: str, node: yaml.Node) -> int:
    # A block scalar ends where the next line begins; anything else ends within its line.
    return text.index("\n", _end(node) - 1) + 1


def _end(node: yaml.Node) -> int:
    """Find the end of a node's last character; a block's own mark is behind the comments."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[-1] if isinstance(last, tuple) else last)


def _dump(value: object, margin: int = 0) -> str:
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=math.inf)
    return textwrap.indent(text, " " * margin)


class _Dumper(yaml.SafeDumper):
    """Writes no anchors: an entry that holds the same list twice stands for itself."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - PyYAML's signature
        return True
