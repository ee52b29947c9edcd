"""Build a cluster's kubeconfig, put its entries into another one and take them out again.

Each entry of ours in a foreign kubeconfig carries an extension that says who wrote it and
what it held then. So it can be recognised, and told from one that the user has changed,
without any local state.
"""

import base64
import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from bootstrap.errors import NotOursError
from bootstrap.model.names import ClusterName, kubeconfig_entry

Document: TypeAlias = dict[str, Any]
Entry: TypeAlias = Mapping[str, Any]

#: The group that ``kubeadm init`` binds to cluster-admin; it can be revoked (K-09).
USER_GROUP = "kubeadm:cluster-admins"

_EXTENSION = "bootstrap.dev"
_CURRENT = "current-context"
#: Each section of a kubeconfig, and the key that holds an entry's body there.
_SECTIONS = {"clusters": "cluster", "contexts": "context", "users": "user"}


class Unmerged(NamedTuple):
    """A kubeconfig without our entries, and those that stay since the user changed them."""

    document: Document
    #: Such as ``context 'bootstrap-demo'``.
    kept: tuple[str, ...]


def user_common_name(cluster: ClusterName) -> str:
    """Name the user of the kubeconfig, as the API server sees it."""
    return f"{kubeconfig_entry(cluster)}-user"


def build_kubeconfig(
    cluster: ClusterName, server: str, ca_pem: str, certificate_pem: str, key_pem: str
) -> Document:
    """Build the cluster's own kubeconfig: nothing in it runs a program or leaves the host."""
    name = kubeconfig_entry(cluster)
    api = {"server": server, "certificate-authority-data": _base64(ca_pem)}
    user = {
        "client-certificate-data": _base64(certificate_pem),
        "client-key-data": _base64(key_pem),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": api}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "users": [{"name": name, "user": user}],
        _CURRENT: name,
    }


def marked(document: Document, install_id: uuid.UUID) -> Document:
    """Put our mark on each entry of a cluster's own kubeconfig."""
    owner = _owner(document[_CURRENT], install_id)
    result = dict(document)
    for section, body_key in _SECTIONS.items():
        result[section] = [
            {**entry, body_key: _with_mark(section, entry[body_key], owner)}
            for entry in document[section]
        ]
    return result


def merged(
    existing: Document, ours: Document, *, use: bool, beside: Sequence[Document] = ()
) -> Document:
    """Give ``existing`` with the marked entries of ``ours``; all else stays as it is.

    ``beside`` are the other files that kubectl reads together with this one. The current
    context is set only if none is set anywhere, or if ``use`` asks for it. The namespace
    that the user chose for our context is kept.

    :raises NotOursError: if an entry of that name is not ours, or is and was changed.
    """
    result = dict(existing) or {"apiVersion": "v1", "kind": "Config"}
    for section in _SECTIONS:
        entry = ours[section][0]
        owner = {key: value for key, value in _mark(section, entry).items() if key != "digest"}
        for document in (existing, *beside):
            _check_ours(document, section, entry["name"], owner)
        result[section] = _replaced(existing, section, entry)
    if use or not any(document.get(_CURRENT) for document in (existing, *beside)):
        result[_CURRENT] = ours[_CURRENT]
    return result


def refuse_others(
    documents: Sequence[Document], cluster: ClusterName, install_id: uuid.UUID
) -> None:
    """Stop where :func:`merged` would, when there is nothing to merge yet.

    :raises NotOursError: if an entry of the cluster's name is not ours, or was changed.
    """
    name = kubeconfig_entry(cluster)
    owner = _owner(name, install_id)
    for document in documents:
        for section in _SECTIONS:
            _check_ours(document, section, name, owner)


def unmerged(
    existing: Document,
    cluster: ClusterName,
    install_id: uuid.UUID,
    *,
    beside: Sequence[Document] = (),
) -> Unmerged:
    """Give ``existing`` without the entries that we wrote for ``cluster``.

    An entry of ours that the user has changed or renamed stays, and is named. The current
    context is unset if it is an entry that goes, here or in a file ``beside``.
    """
    name = kubeconfig_entry(cluster)
    owner = _owner(name, install_id)
    result, kept = dict(existing), []
    for section, body_key in _SECTIONS.items():
        going = [entry for entry in _ours(existing, section, owner) if _goes(entry, section, name)]
        kept += [
            f"{body_key} '{entry.get('name')}'"
            for entry in _ours(existing, section, owner)
            if not _goes(entry, section, name)
        ]
        if going:
            gone = {id(entry) for entry in going}
            result[section] = [entry for entry in existing[section] if id(entry) not in gone]
    if existing.get(_CURRENT) == name and any(
        _goes(entry, "contexts", name)
        for document in (existing, *beside)
        for entry in _ours(document, "contexts", owner)
    ):
        result[_CURRENT] = ""
    return Unmerged(result, tuple(kept))


def entries_of_install(document: Document, install_id: uuid.UUID) -> Iterator[Entry]:
    """Give every entry that carries our mark, of any cluster, changed ones too."""
    for section in _SECTIONS:
        yield from _ours(document, section, {"installId": str(install_id)})


def _owner(name: str, install_id: uuid.UUID) -> dict[str, str]:
    # A renamed entry still tells whose it is.
    return {"installId": str(install_id), "cluster": name.removeprefix("bootstrap-")}


def _with_mark(section: str, body: Entry, owner: Mapping[str, str]) -> Document:
    mark = {**owner, "digest": _digest(section, body)}
    return {**body, "extensions": [{"name": _EXTENSION, "extension": mark}]}


def _entries(document: Document, section: str) -> Iterator[Entry]:
    for entry in document.get(section) or []:
        if isinstance(entry, Mapping):
            yield entry


def _ours(document: Document, section: str, owner: Mapping[str, str]) -> Iterator[Entry]:
    for entry in _entries(document, section):
        mark = _mark(section, entry)
        if {key: mark.get(key) for key in owner} == owner:
            yield entry


def _mark(section: str, entry: Entry) -> Mapping[str, Any]:
    for extension in _extensions(entry.get(_SECTIONS[section])):
        if _is_mark(extension) and isinstance(extension.get("extension"), Mapping):
            return dict(extension["extension"])
    return {}


def _extensions(body: object) -> list[Any]:
    extensions = body.get("extensions") if isinstance(body, Mapping) else None
    return extensions if isinstance(extensions, list) else []


def _is_mark(extension: object) -> bool:
    return isinstance(extension, Mapping) and extension.get("name") == _EXTENSION


def _is_unchanged(section: str, entry: Entry) -> bool:
    return _mark(section, entry).get("digest") == _digest(section, entry[_SECTIONS[section]])


def _goes(entry: Entry, section: str, name: str) -> bool:
    return entry.get("name") == name and _is_unchanged(section, entry)


def _check_ours(
    document: Document, section: str, entry_name: str, owner: Mapping[str, str]
) -> None:
    mine = {id(entry) for entry in _ours(document, section, owner)}
    kind = _SECTIONS[section]
    for entry in _entries(document, section):
        if entry.get("name") != entry_name:
            continue
        if id(entry) not in mine:
            fault = "is not ours"
        elif not _is_unchanged(section, entry):
            fault = "was changed after it was written"
        else:
            continue
        raise NotOursError(
            f"The {kind} '{entry_name}' in the kubeconfig {fault}, so it was left alone.",
            hint=f"kubectl config delete-{kind} {entry_name}",
        )


def _replaced(existing: Document, section: str, ours: Entry) -> list[Any]:
    """Put our entry in the place of its older self, or at the end."""
    result: list[Any] = []
    place = None
    for entry in existing.get(section) or []:
        if not isinstance(entry, Mapping) or entry.get("name") != ours["name"]:
            result.append(entry)
        elif place is None:
            place = len(result)
            result.append(_with_namespace(entry, section, ours))
    return result if place is not None else [*result, ours]


def _with_namespace(old: Entry, section: str, ours: Entry) -> Entry:
    key = _SECTIONS[section]
    if "namespace" not in old[key]:
        return ours
    return {**ours, key: {**ours[key], "namespace": old[key]["namespace"]}}


def _digest(section: str, body: Entry) -> str:
    """Digest what we wrote; the context's namespace is the user's to choose at any time."""
    plain = {key: body[key] for key in body if key not in ("extensions", "namespace")}
    others = [extension for extension in _extensions(body) if not _is_mark(extension)]
    canonical = repr(_canonical([section, plain, others]))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def _canonical(value: object) -> object:
    """Give the same for equal values, however their keys are ordered."""
    if isinstance(value, Mapping):
        return [[key, _canonical(value[key])] for key in sorted(value, key=str)]
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return str(value)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
