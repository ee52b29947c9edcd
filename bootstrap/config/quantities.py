"""Read names, sizes, subnets and labels of the cluster file."""

import ipaddress
import re

from bootstrap.config.plain_scalars import Trap
from bootstrap.config.problems import shown
from bootstrap.config.values import text
from bootstrap.model.names import ClusterName

MEMORY_PATTERN = r"^[1-9][0-9]{0,6}(MiB|GiB)$"
DISK_PATTERN = r"^[1-9][0-9]{0,3}GiB$"
SUBNET_PATTERN = r"^([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}$"
LABEL_KEY_PATTERN = (
    r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
)
LABEL_VALUE_PATTERN = r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$"

_MAX_MEMORY_MIB = 1024 * 1024
#: The API server takes no larger range, and cluster DNS is the tenth address of it.
_SERVICE_PREFIXES = range(12, 28 + 1)
#: The node's own system and images need this much.
_MIN_DISK_GIB = 4
#: The image's file system has room in its tables to grow to this, and no further.
_MAX_DISK_GIB = 1024
#: A bare number below this counts GiB: nobody has a node with 100 MiB.
_LEAST_USUAL_MIB = 128
_NUMBER_AND_UNIT = re.compile(r"([0-9]{1,9}) *([A-Za-z]{0,3})")
_PRIVATE = tuple(
    ipaddress.IPv4Network(subnet)
    for subnet in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
#: Of Kubernetes' own label names, the kubelet may set only these on its node.
_OWN_DOMAINS = ("kubernetes.io", "k8s.io")
_KUBELET_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")
_KUBELET_KEYS = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")


def cluster_name(value: object) -> ClusterName:
    """Take a cluster's name."""
    return ClusterName(text(value))


def memory_mib(value: object) -> int:
    """Take a memory size such as ``2GiB`` or ``1536MiB``."""
    written = _size(value, MEMORY_PATTERN, "'2GiB' or '1536MiB'")
    mib = int(written[:-3]) * (1024 if written.endswith("GiB") else 1)
    if mib > _MAX_MEMORY_MIB:
        raise ValueError(f"'{written}' is out of range; use at most '1024GiB'")
    return mib


def disk_gib(value: object) -> int:
    """Take a disk size such as ``20GiB``."""
    gib = int(_size(value, DISK_PATTERN, "'20GiB'")[:-3])
    if gib < _MIN_DISK_GIB:
        raise ValueError(f"'{gib}GiB' is too small; use at least '{_MIN_DISK_GIB}GiB'")
    if gib > _MAX_DISK_GIB:
        raise ValueError(f"'{gib}GiB' is out of range; use at most '{_MAX_DISK_GIB}GiB'")
    return gib


def subnet(value: object) -> ipaddress.IPv4Network:
    """Take a private IPv4 network, written with its network address."""
    written = text(value)
    network = _network(written)
    if not any(network.subnet_of(private) for private in _PRIVATE):
        allowed = ", ".join(str(private) for private in _PRIVATE)
        raise ValueError(f"'{network}' is not private; use a part of {allowed}")
    if str(network) != written:
        raise ValueError(f"'{written}' is not a network's first address; use '{network}'")
    return network


def service_subnet(value: object) -> ipaddress.IPv4Network:
    """Take a subnet of a size that the API server takes for services."""
    network = subnet(value)
    if network.prefixlen not in _SERVICE_PREFIXES:
        allowed = f"/{_SERVICE_PREFIXES[0]} to /{_SERVICE_PREFIXES[-1]}"
        raise ValueError(f"'{network}' is not of a size for services; use {allowed}")
    return network


def label_key(value: object) -> str:
    """Take a label's key, as Kubernetes does and as the kubelet may set it."""
    key = text(value)
    if not _matches(LABEL_KEY_PATTERN, key) or ".." in key.rpartition("/")[0]:
        raise ValueError(
            f"'{shown(key)}' is not a label key; use at most 63 letters, digits, '-', '_' and '.', "
            "beginning and ending with a letter or digit, after an optional 'example.com/'"
        )
    if _is_kubernetes_own(key):
        raise ValueError(
            f"'{shown(key)}' is a name of Kubernetes' own that a kubelet may not set; "
            "use a key outside kubernetes.io and k8s.io"
        )
    return key


def label_value(value: object) -> str:
    """Take a label's value; an empty one is written as ``""``."""
    label = text(value)
    if not _matches(LABEL_VALUE_PATTERN, label):
        raise ValueError(
            f"'{shown(label)}' is not a label value; use at most 63 letters, digits, '-', '_' "
            "and '.', beginning and ending with a letter or digit"
        )
    return label


def _size(value: object, pattern: str, examples: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # what it lacks is the unit; quoting it would not help
    if isinstance(value, Trap):
        seen = f"{shown(value.raw)} was read as {value.read_as}"
        raise ValueError(f"{seen}; write a size like {examples}")  # noqa: TRY004 - pydantic's
    written = text(value)
    if _matches(pattern, written):
        return written
    raise ValueError(f"'{shown(written)}' is not a size; {_meant(written, pattern, examples)}")


def _meant(written: str, pattern: str, examples: str) -> str:
    found = _NUMBER_AND_UNIT.fullmatch(written)
    if found:
        number, letter = int(found[1]), found[2][:1].lower()
        usual = "GiB" if number < _LEAST_USUAL_MIB else "MiB"
        meant = str(number) + {"m": "MiB", "g": "GiB", "": usual}.get(letter, "")
        if _matches(pattern, meant):
            return f"did you mean '{meant}'?"
    return f"write it like {examples}"


def _network(written: str) -> ipaddress.IPv4Network:
    problem = f"'{shown(written)}' is not an IPv4 network; write it like '10.0.0.0/16'"
    if not _matches(SUBNET_PATTERN, written):
        raise ValueError(problem)
    try:
        return ipaddress.IPv4Network(written, strict=False)
    except ValueError as error:
        raise ValueError(problem) from error


def _is_kubernetes_own(key: str) -> bool:
    domain = key.rpartition("/")[0]
    return (
        _is_within(domain, _OWN_DOMAINS)
        and not _is_within(domain, _KUBELET_DOMAINS)
        and key not in _KUBELET_KEYS
    )


def _is_within(domain: str, parents: tuple[str, ...]) -> bool:
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents)


def _matches(pattern: str, written: str) -> bool:
    # In Python "$" also matches before a final line feed, in JSON Schema it does not.
    return re.match(pattern, written) is not None and "\n" not in written
