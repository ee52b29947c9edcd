"""Build a cluster's kubeconfig, merge its entries into another one and remove them again.

Each entry of ours in the user's kubeconfig carries an extension with the install id, the
cluster and a digest of what we wrote. So our entries are found, and those that the user
has changed are kept, without any local state.
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
#: What the user may set in an entry of ours: the namespace of the context.
_CHOSEN = frozenset({"namespace"})


class Unmerged(NamedTuple):
    """A kubeconfig without our entries, and the entries that stay since the user changed them."""

    document: Document
    #: Such as ``context 'bootstrap-demo'``.
    kept: tuple[str, ...]


def user_common_name(cluster: ClusterName) -> str:
    """Return the common name of the user's certificate."""
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
    """Return a cluster's own kubeconfig with our mark on each entry."""
    owner = _owner(document[_CURRENT], install_id)
    return document | {
        section: [
            {**entry, kind: _with_mark(section, entry[kind], owner)} for entry in document[section]
        ]
        for section, kind in _SECTIONS.items()
    }


def merged(
    existing: Document, ours: Document, *, use: bool, beside: Sequence[Document] = ()
) -> Document:
    """Return ``existing`` with the marked entries of ``ours``; all else stays as it is.

    ``beside`` are the other files that kubectl reads together with this one. The current
    context is set only if no file sets it, or if ``use`` asks for it. The namespace that
    the user chose for our context is kept.

    :raises NotOursError: if an entry of that name is not ours, or the user changed it.
    """
    result = dict(existing) or {"apiVersion": "v1", "kind": "Config"}
    documents = (existing, *beside)
    for section in _SECTIONS:
        entry = ours[section][0]
        owner = {key: value for key, value in _mark(section, entry).items() if key != "digest"}
        _refuse_others(documents, section, entry["name"], owner)
        result[section] = _replaced(existing.get(section) or [], section, entry)
    if use or not any(document.get(_CURRENT) for document in documents):
        result[_CURRENT] = ours[_CURRENT]
    return result


def refuse_others(
    documents: Sequence[Document], cluster: ClusterName, install_id: uuid.UUID
) -> None:
    """Check that :func:`merged` would find no entry that it refuses.

    :raises NotOursError: if an entry of the cluster's name is not ours, or was changed.
    """
    name = kubeconfig_entry(cluster)
    for section in _SECTIONS:
        _refuse_others(documents, section, name, _owner(name, install_id))


def unmerged(
    existing: Document,
    cluster: ClusterName,
    install_id: uuid.UUID,
    *,
    beside: Sequence[Document] = (),
) -> Unmerged:
    """Return ``existing`` without the entries that we wrote for ``cluster``.

    An entry of ours that the user has changed or renamed stays, and is reported. The current
    context is unset if its entry is removed, here or in a file ``beside``.
    """
    name = kubeconfig_entry(cluster)
    owner = _owner(name, install_id)
    result, kept = dict(existing), []
    for section, kind in _SECTIONS.items():
        for entry in _ours(existing, section, owner):
            if _is_removable(entry, section, name):
                result[section] = [other for other in result[section] if other is not entry]
            else:
                kept.append(f"{kind} '{entry.get('name')}'")
    if existing.get(_CURRENT) == name and any(
        _is_removable(entry, "contexts", name)
        for document in (existing, *beside)
        for entry in _ours(document, "contexts", owner)
    ):
        result[_CURRENT] = ""
    return Unmerged(result, tuple(kept))


def has_entries(document: Document, install_id: uuid.UUID) -> bool:
    """Report whether an entry carries our mark, of any cluster, changed ones too."""
    owner = {"installId": str(install_id)}
    return any(True for section in _SECTIONS for _ in _ours(document, section, owner))


def _owner(name: str, install_id: uuid.UUID) -> dict[str, str]:
    # A renamed entry still says which cluster it belongs to.
    return {"installId": str(install_id), "cluster": name.removeprefix("bootstrap-")}


def _with_mark(section: str, body: Entry, owner: Mapping[str, str]) -> Document:
    mark = {**owner, "digest": _digest(section, body)}
    return {**body, "extensions": [{"name": _EXTENSION, "extension": mark}]}


def _entries(document: Document, section: str) -> Iterator[Entry]:
    return (entry for entry in document.get(section) or [] if isinstance(entry, Mapping))


def _ours(document: Document, section: str, owner: Mapping[str, str]) -> Iterator[Entry]:
    for entry in _entries(document, section):
        if owner.items() <= _mark(section, entry).items():
            yield entry


def _mark(section: str, entry: Entry) -> Mapping[str, Any]:
    for extension in _extensions(section, entry):
        if isinstance(extension, Mapping) and extension.get("name") == _EXTENSION:
            mark = extension.get("extension")
            return mark if isinstance(mark, Mapping) else {}
    return {}


def _extensions(section: str, entry: Entry) -> list[Any]:
    body = entry.get(_SECTIONS[section])
    extensions = body.get("extensions") if isinstance(body, Mapping) else None
    return extensions if isinstance(extensions, list) else []


def _is_unchanged(section: str, entry: Entry) -> bool:
    """Compare an entry that has our mark with what we wrote, whose one extension is the mark."""
    digest = _digest(section, entry[_SECTIONS[section]])
    return len(_extensions(section, entry)) == 1 and _mark(section, entry).get("digest") == digest


def _is_removable(entry: Entry, section: str, name: str) -> bool:
    return entry.get("name") == name and _is_unchanged(section, entry)


def _refuse_others(
    documents: Sequence[Document], section: str, entry_name: str, owner: Mapping[str, str]
) -> None:
    kind = _SECTIONS[section]
    for document in documents:
        ours = list(_ours(document, section, owner))
        for entry in _entries(document, section):
            is_ours = any(entry is other for other in ours)
            if entry.get("name") == entry_name and not (is_ours and _is_unchanged(section, entry)):
                fault = "was changed after it was written" if is_ours else "is not ours"
                raise NotOursError(
                    f"The {kind} '{entry_name}' in the kubeconfig {fault}, so it was left alone.",
                    hint=f"kubectl config delete-{kind} {entry_name}",
                )


def _replaced(existing: list[Any], section: str, ours: Entry) -> list[Any]:
    """Return the entries with ours in the place of its older self, or at the end."""
    older = [
        index
        for index, entry in enumerate(existing)
        if isinstance(entry, Mapping) and entry.get("name") == ours["name"]
    ]
    if not older:
        return [*existing, ours]
    kind = _SECTIONS[section]
    chosen = {
        key: existing[older[0]][kind][key] for key in _CHOSEN & existing[older[0]][kind].keys()
    }
    result: list[Any] = [entry for index, entry in enumerate(existing) if index not in older]
    result.insert(older[0], {**ours, kind: {**ours[kind], **chosen}})
    return result


def _digest(section: str, body: Entry) -> str:
    """Digest what we wrote, without the mark and without what the user may choose."""
    plain = {key: value for key, value in body.items() if key not in {"extensions", *_CHOSEN}}
    return f"sha256:{hashlib.sha256(repr(_canonical([section, plain])).encode()).hexdigest()}"


def _canonical(value: object) -> object:
    """Return the same for equal values, in whatever order their keys are."""
    if isinstance(value, Mapping):
        return [[key, _canonical(value[key])] for key in sorted(value, key=str)]
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return str(value)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
