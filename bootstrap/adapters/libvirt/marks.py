"""The ownership mark: an element of our own namespace in a domain's metadata."""

import uuid
import xml.etree.ElementTree as ET
from pathlib import Path

from bootstrap.model.cluster import Mark
from bootstrap.model.layout import LAYOUT
from bootstrap.model.names import SWITCH, ClusterName
from bootstrap.model.spec import NodeRole

MARK_URI = "https://bootstrap.dev/mark/1"
_PREFIX = "bootstrap"
#: Marks of the first layout do not name it.
_FIRST_LAYOUT = "1"

ET.register_namespace(_PREFIX, MARK_URI)


def _tag(name: str) -> str:
    return f"{{{MARK_URI}}}{name}"


def mark_element(mark: Mark, *, digest: str) -> ET.Element:
    """Build the mark; ``digest`` tells later whether the domain is still as planned."""
    element = ET.Element(
        _tag("node"),
        {
            "install": str(mark.install_id),
            "owner": str(mark.owner_uid),
            "cluster": str(mark.cluster),
            "name": mark.node,
            "role": mark.role.value if mark.role else SWITCH,
            "directory": str(mark.directory),
            "created": mark.created,
            "layout": str(mark.layout),
            "digest": digest,
        },
    )
    for use, port in sorted(mark.ports.items()):
        ET.SubElement(element, _tag("port"), {"use": use, "number": str(port)})
    for key, value in sorted(mark.facts.items()):
        ET.SubElement(element, _tag("fact"), {"key": key, "value": value})
    return element


def _children(element: ET.Element, name: str) -> list[ET.Element]:
    """List children by their local name: libvirt's drivers differ in which namespaces they keep."""
    return [child for child in element if child.tag.rpartition("}")[2] == name]


def read_mark(text: str) -> tuple[Mark, str]:
    """Read a mark and its digest back.

    Of another layout only what every layout has is read: the owner, the cluster and the name.

    :raises ValueError: if it is not a mark.
    """
    try:
        element = ET.fromstring(text)  # noqa: S314 - libvirt hands out what it has parsed itself
        layout = int(element.attrib.get("layout", _FIRST_LAYOUT))
        read = _read_current if layout == LAYOUT else _read_other
        return read(element, layout), element.attrib["digest"]
    except (ET.ParseError, KeyError) as error:
        raise ValueError(f"not a mark: {error}") from error


def _read_current(element: ET.Element, layout: int) -> Mark:
    role = element.attrib["role"]
    return Mark(
        install_id=uuid.UUID(element.attrib["install"]),
        owner_uid=int(element.attrib["owner"]),
        cluster=ClusterName(element.attrib["cluster"]),
        node=element.attrib["name"],
        role=None if role == SWITCH else NodeRole(role),
        ports={
            port.attrib["use"]: int(port.attrib["number"]) for port in _children(element, "port")
        },
        directory=Path(element.attrib["directory"]),
        facts={fact.attrib["key"]: fact.attrib["value"] for fact in _children(element, "fact")},
        created=element.attrib["created"],
        layout=layout,
    )


def _read_other(element: ET.Element, layout: int) -> Mark:
    known = set(NodeRole)
    role = element.attrib.get("role", "")
    return Mark(
        install_id=uuid.UUID(element.attrib["install"]),
        owner_uid=int(element.attrib["owner"]),
        cluster=ClusterName(element.attrib["cluster"]),
        node=element.attrib["name"],
        role=NodeRole(role) if role in known else None,
        ports={},
        directory=Path(element.attrib.get("directory", "")),
        facts={},
        created=element.attrib.get("created", ""),
        layout=layout,
    )
