"""Read a kubeconfig that another program wrote."""

import itertools
import shlex
from pathlib import Path

import yaml

from bootstrap.errors import StateError
from bootstrap.model.kubeconfig import Document

_SIZE_LIMIT = 1 << 20
_NODE_LIMIT = 200_000
_SECTIONS = ("clusters", "contexts", "users")
_CURRENT = "current-context"


class Loader(yaml.SafeLoader):
    """Reads as kubectl does, to whom a date is text."""


Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_text(path: Path) -> str:
    """Return a kubeconfig's text, empty if there is no file.

    :raises StateError: if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_SIZE_LIMIT + 1)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise _unreadable(path, str(error)) from error
    if len(content) > _SIZE_LIMIT:
        raise _unreadable(path, f"It is larger than {_SIZE_LIMIT} bytes.")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise _unreadable(path, str(error)) from error


def read_document(path: Path, text: str) -> Document:
    """Return the content of the kubeconfig ``path``, whose text is given; it may be empty.

    :raises StateError: if it is not YAML or not a kubeconfig. The file is kept.
    """
    try:
        return parse(text)
    except ValueError as error:
        raise _unreadable(path, str(error)) from error


def parse(text: str) -> Document:
    """Parse a kubeconfig.

    :raises ValueError: if it is not YAML or not a kubeconfig.
    """
    try:
        loader = Loader(text)
        node = loader.get_single_node()
        _check_size(node)
        document = {} if node is None else loader.construct_document(node)
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        raise ValueError(f"It is not valid YAML: {error}") from error
    document = {} if document is None else document
    if fault := _fault(document) or _doubled(node):
        raise ValueError(f"It is not a kubeconfig: {fault}.")
    return dict(document)


def _fault(document: object) -> str:
    if not isinstance(document, dict) or document.get("kind", "Config") != "Config":
        return "its kind is not Config"
    for section in _SECTIONS:
        if not isinstance(document.get(section), list | None):
            return f"its {section} are not a list"
    return "" if isinstance(document.get(_CURRENT), str | None) else f"its {_CURRENT} is not text"


def _doubled(node: yaml.Node | None) -> str:
    keys = [str(key.value) for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
    return "a key is there twice" if len(keys) != len(set(keys)) else ""


def _check_size(root: yaml.Node | None) -> None:
    """Refuse a document whose aliases expand to too much, or contain themselves (H-04)."""
    waiting, size = [root], 1
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.CollectionNode):
            pairs = (item if isinstance(item, tuple) else (item,) for item in node.value)
            children = list(itertools.chain.from_iterable(pairs))
            waiting += children
            size += len(children)
        if size > _NODE_LIMIT:
            raise ValueError("its aliases expand to too much")


def _unreadable(path: Path, reason: str) -> StateError:
    return StateError(
        f"Could not read the kubeconfig '{path}'; it was kept as it is.",
        details=reason,
        hint=f"kubectl config view --kubeconfig {shlex.quote(str(path))}",
    )
