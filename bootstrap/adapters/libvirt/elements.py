"""Build the parts that every domain's XML has; no text is ever pasted into it."""

import hashlib
import xml.etree.ElementTree as ET
from collections.abc import Iterable

from bootstrap.adapters.libvirt.marks import mark_element
from bootstrap.model.cluster import Mark

_QEMU_URI = "http://libvirt.org/schemas/domain/qemu/1.0"

ET.register_namespace("qemu", _QEMU_URI)


def text_element(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    """Add an element that holds text."""
    ET.SubElement(parent, tag, attributes).text = text


def pci_address(parent: ET.Element, slot: str) -> None:
    """Fix the device's place on the PCI bus, so that it never depends on other devices."""
    address = {"domain": "0x0000", "bus": "0x00", "slot": slot, "function": "0x0"}
    ET.SubElement(parent, "address", {"type": "pci", **address})


def command_line(words: Iterable[str]) -> ET.Element:
    """Return what libvirt passes on to QEMU as it is."""
    element = ET.Element(f"{{{_QEMU_URI}}}commandline")
    _add(element, words)
    return element


def add_arguments(domain: ET.Element, words: Iterable[str]) -> None:
    """Have libvirt pass more on to QEMU than a domain's description says."""
    element = domain.find(f"{{{_QEMU_URI}}}commandline")
    if element is None:
        domain.append(command_line(words))
    else:
        _add(element, words)


def _add(element: ET.Element, words: Iterable[str]) -> None:
    for word in words:
        ET.SubElement(element, f"{{{_QEMU_URI}}}arg", {"value": word})


def digest_of(domain: ET.Element) -> str:
    """Return the digest that the mark of an unchanged domain carries."""
    return hashlib.sha256(ET.tostring(domain)).hexdigest()


def marked(domain: ET.Element, mark: Mark) -> str:
    """Return the domain's XML with our mark in it."""
    metadata = ET.Element("metadata")
    metadata.append(mark_element(mark, digest=digest_of(domain)))
    domain.insert(2, metadata)
    return ET.tostring(domain, encoding="unicode")
