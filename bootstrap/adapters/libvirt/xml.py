"""Build the XML of a node's domain."""

import xml.etree.ElementTree as ET

from bootstrap.adapters.libvirt.cables import LOOPBACK, backend_arguments, cable_end
from bootstrap.adapters.libvirt.elements import (
    command_line,
    digest_of,
    marked,
    pci_address,
    text_element,
)
from bootstrap.model.cluster import Mark, NodeImage
from bootstrap.model.plan import NodePlan

#: Places on the PCI root; libvirt, which counts upwards, does not reach the NICs'.
_ROOT_SLOT, _SEED_SLOT, _RNG_SLOT = "0x03", "0x04", "0x05"
_CLUSTER_SLOT, _UPLINK_SLOT = "0x1d", "0x1e"
_KERNEL_LINE = "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet random.trust_cpu=on"
#: Guests under emulation share no cache with anybody, so mitigations only cost time. kubelet,
#: containerd and its shims run their Go code on one thread: with two, more time went into handing
#: work over than into the work, and nodes on a slow host never came to rest.
_EMULATED_KERNEL_LINE = (
    f"{_KERNEL_LINE} mitigations=off systemd.show_status=0 systemd.setenv=GOMAXPROCS=1"
)


def domain_xml(node: NodePlan, *, mark: Mark, image: NodeImage, emulated: bool) -> str:
    """Describe the node's domain to libvirt, with our mark in it."""
    return marked(_domain(node, image=image, emulated=emulated), mark)


def domain_digest(node: NodePlan, *, image: NodeImage, emulated: bool) -> str:
    """Return the digest that an unchanged domain's mark carries."""
    return digest_of(_domain(node, image=image, emulated=emulated))


def _domain(node: NodePlan, *, image: NodeImage, emulated: bool) -> ET.Element:
    domain = ET.Element("domain", {"type": "qemu" if emulated else "kvm"})
    text_element(domain, "name", node.domain_name)
    text_element(domain, "uuid", str(node.uuid))
    # A guest whose memory is used a second time sees another one, and takes new random numbers.
    text_element(domain, "genid", str(node.uuid))
    text_element(domain, "memory", str(node.memory_mib), unit="MiB")
    text_element(domain, "vcpu", str(node.cpus))
    system = ET.SubElement(domain, "os")
    text_element(system, "type", "hvm", arch="x86_64", machine="pc")
    text_element(system, "kernel", str(image.kernel))
    text_element(system, "initrd", str(image.initrd))
    text_element(system, "cmdline", _EMULATED_KERNEL_LINE if emulated else _KERNEL_LINE)
    features = ET.SubElement(domain, "features")
    ET.SubElement(features, "acpi")
    ET.SubElement(features, "apic")
    if emulated:
        text_element(ET.SubElement(features, "tcg"), "tb-cache", "512", unit="MiB")
    domain.append(_cpu(emulated=emulated))
    ET.SubElement(domain, "clock", {"offset": "utc"})
    text_element(domain, "on_poweroff", "destroy")
    text_element(domain, "on_reboot", "restart")
    text_element(domain, "on_crash", "destroy")
    domain.append(_devices(node, image=image, emulated=emulated))
    domain.append(_command_line(node))
    return domain


def _cpu(*, emulated: bool) -> ET.Element:
    if not emulated:
        return ET.Element("cpu", {"mode": "host-passthrough"})
    cpu = ET.Element("cpu", {"mode": "custom", "match": "exact", "check": "none"})
    text_element(cpu, "model", "Nehalem", fallback="forbid")
    # QEMU before version 10 corrupts the flags after an emulated cmpxchg16b: Debian's kernel
    # then dies of a double fault at a random moment.
    for policy, name in (("disable", "cx16"), ("require", "aes"), ("require", "pclmuldq")):
        ET.SubElement(cpu, "feature", {"policy": policy, "name": name})
    return cpu


def _devices(node: NodePlan, *, image: NodeImage, emulated: bool) -> ET.Element:
    devices = ET.Element("devices")
    devices.append(_root_disk(node, image, emulated=emulated))
    devices.append(_seed_disk(node))
    ET.SubElement(devices, "controller", {"type": "usb", "model": "none"})
    serial = ET.SubElement(devices, "serial", {"type": "file"})
    ET.SubElement(serial, "source", {"path": str(node.console_log)})
    ET.SubElement(serial, "target", {"port": "0"})
    rng = ET.SubElement(devices, "rng", {"model": "virtio"})
    text_element(rng, "backend", "/dev/urandom", model="random")
    pci_address(rng, _RNG_SLOT)
    ET.SubElement(devices, "memballoon", {"model": "none"})
    return devices


def _root_disk(node: NodePlan, image: NodeImage, *, emulated: bool) -> ET.Element:
    disk = ET.Element("disk", {"type": "file", "device": "disk"})
    driver = {"name": "qemu", "type": "qcow2", "discard": "unmap"}
    # An emulated cluster is for a test run: it may lose data with its host, not its guests.
    ET.SubElement(disk, "driver", driver | ({"cache": "unsafe"} if emulated else {}))
    ET.SubElement(disk, "source", {"file": str(node.root_volume)})
    # The definition names the whole chain, so that neither libvirt nor QEMU ever guesses a format.
    backing = ET.SubElement(disk, "backingStore", {"type": "file"})
    ET.SubElement(backing, "format", {"type": "raw"})
    ET.SubElement(backing, "source", {"file": str(image.disk)})
    ET.SubElement(backing, "backingStore")
    ET.SubElement(disk, "target", {"dev": "vda", "bus": "virtio"})
    pci_address(disk, _ROOT_SLOT)
    return disk


def _seed_disk(node: NodePlan) -> ET.Element:
    disk = ET.Element("disk", {"type": "file", "device": "disk"})
    ET.SubElement(disk, "driver", {"name": "qemu", "type": "raw"})
    ET.SubElement(disk, "source", {"file": str(node.seed_volume)})
    # A disk, not a cdrom: Debian's cloud kernel has no AHCI driver and would not see it.
    ET.SubElement(disk, "target", {"dev": "vdb", "bus": "virtio"})
    ET.SubElement(disk, "readonly")
    pci_address(disk, _SEED_SLOT)
    return disk


def _command_line(node: NodePlan) -> ET.Element:
    """Return both NICs: libvirt 9.0 has neither port forwards nor datagram sockets."""
    forwards = f"hostfwd=tcp:{LOOPBACK}:{node.ssh_port}-:22"
    if node.api_port is not None:
        forwards += f",hostfwd=tcp:{LOOPBACK}:{node.api_port}-:6443"
    cable = cable_end("cluster", local=node.cable.node_end, remote=node.cable.switch_end)
    return command_line(
        [
            *("-netdev", f"user,id=uplink,{forwards}"),
            *("-device", _nic("uplink", node.uplink_mac, _UPLINK_SLOT)),
            *backend_arguments([cable]),
            *("-device", _nic("cluster", node.cluster_mac, _CLUSTER_SLOT)),
        ]
    )


def _nic(netdev: str, mac: str, slot: str) -> str:
    return f"virtio-net-pci,netdev={netdev},mac={mac},bus=pci.0,addr={slot}"
