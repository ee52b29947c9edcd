"""Change a kubeconfig's text only where its content changes (H-20).

A YAML library that loads and dumps would lose comments, indentation or line breaks. So
dumped entries are put at the places of the changed ones, and the result is read back.
Where that does not give the new content, the whole document is dumped.
"""

import contextlib
import json
import math
import textwrap
from typing import Any

import yaml

from bootstrap.adapters.kubeconfig.reading import Loader, parse
from bootstrap.model.kubeconfig import Document


def edited(text: str, before: Document, after: Document) -> str:
    """Return a text with the content ``after``, given one with the content ``before``.

    The text stays the same to the byte if nothing changes.
    """
    if after == before:
        return text
    with contextlib.suppress(ValueError, LookupError):
        if text.lstrip().startswith("{"):
            json.loads(text)
            return json.dumps(after, indent=2) + "\n"
        candidate = _spliced(text, before, after)
        if parse(candidate) == after:
            return candidate
    return _dump(after)


def _spliced(text: str, before: Document, after: Document) -> str:
    text = text if text.endswith("\n") or not text else f"{text}\n"
    root = yaml.compose(text, Loader=Loader)
    if not isinstance(root, yaml.MappingNode):
        return text + _dump(after)
    added = {key: value for key, value in after.items() if key not in before}
    end = _line_after(text, root)
    result = text[:end] + _dump(added, root.start_mark.column) + text[end:]
    for key, node in reversed(root.value):  # from the end, so that earlier places stay valid
        old, new = before.get(key.value), after.get(key.value)
        if key.value not in before or (key.value in after and old == new):
            continue
        start, end = _line_of(text, key.start_mark.index), _line_after(text, node)
        if isinstance(node, yaml.SequenceNode) and not node.flow_style and new:
            start, end, replacement = _items(text, node, old, new)
        elif key.value in after:
            replacement = _dump({key.value: new}, key.start_mark.column)
        else:
            replacement = ""
        result = result[:start] + replacement + result[end:]
    return result


def _items(text: str, node: yaml.Node, old: Any, new: Any) -> tuple[int, int, str]:  # noqa: ANN401 - any YAML
    """Return the place of the items between the equal ones at both ends, and their new text."""
    head = _equal_items(old, new)
    tail = _equal_items(old[head:][::-1], new[head:][::-1])
    nodes = node.value[head : len(old) - tail]
    # The dash of an item may stand above it.
    starts = [_line_of(text, text.rindex("-", 0, item.start_mark.index)) for item in node.value]
    start = starts[head] if nodes or not head else _line_after(text, node.value[head - 1])
    end = _line_after(text, nodes[-1]) if nodes else start
    return start, end, _dump(new[head : len(new) - tail], node.start_mark.column)


def _equal_items(left: list[Any], right: list[Any]) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(left), len(right)))


def _line_of(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _line_after(text: str, node: yaml.Node) -> int:
    # The end mark of a block lies behind the comments after it; that of its last scalar does
    # not. A block scalar ends where the next line begins; others end within their line.
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[-1] if isinstance(last, tuple) else last
    return text.index("\n", node.end_mark.index - 1) + 1


def _dump(value: Any, margin: int = 0) -> str:  # noqa: ANN401 - any YAML
    if not value:
        return ""
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=math.inf)
    return textwrap.indent(text, " " * margin)


class _Dumper(yaml.SafeDumper):
    """Writes no anchors: an entry that holds the same list twice stands for itself."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - PyYAML's signature
        return True
