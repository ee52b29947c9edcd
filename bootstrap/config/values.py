"""The types of the values in the cluster file: validation and JSON Schema of each.

Validation takes what the YAML reader returns, or an option's value, and raises
``ValueError`` with a message that is ready to be shown; pydantic collects the messages.
"""

import ipaddress
import re
from collections.abc import Callable, Collection
from typing import Annotated, Any

from pydantic import GetPydanticSchema
from pydantic_core import core_schema

from bootstrap.config.plain_scalars import Trap
from bootstrap.config.problems import shown
from bootstrap.model.names import CLUSTER_NAME_PATTERN, CLUSTER_NAME_RULE, ClusterName

_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_NAME_RULE = (
    "use at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"
)
_KEY_RULE = f"{_NAME_RULE}, after an optional 'example.com/'"
_MAX_GIB = 1024
#: The node's own system and images need this much.
_MIN_DISK_GIB = 4
#: A bare number below this counts GiB: no node has 100 MiB.
_LEAST_USUAL_MIB = 128
_NUMBER_AND_UNIT = re.compile(r"([0-9]{1,9}) *([A-Za-z]{0,3})")
_PRIVATE = tuple(
    ipaddress.IPv4Network(subnet)
    for subnet in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
#: The API server takes no larger range, and cluster DNS is the tenth address of it.
_SERVICE_PREFIXES = range(12, 28 + 1)
#: Of Kubernetes' own label names, the kubelet may set only these on its node.
_OWN_DOMAINS = ("kubernetes.io", "k8s.io")
_KUBELET_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")
_KUBELET_KEYS = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")


def one_of(noun: str, words: Collection[str]) -> GetPydanticSchema:
    """Make a type of fixed words or an enum; ``noun`` names them, with its article."""
    texts = [str(word) for word in words]
    *others, last = [f"'{text}'" for text in texts]
    allowed = f"{', '.join(others)} or {last}" if others else last

    def read(given: object) -> str:
        if not isinstance(given, str):
            raise ValueError(f"{refusal_of_text(given)} (allowed: {allowed})")  # noqa: TRY004 - pydantic
        if given not in texts:
            raise ValueError(f"'{shown(given)}' is not {noun}; use {allowed}")
        return words(given) if isinstance(words, type) else given

    return _schema(read, {"type": "string", "enum": texts})


def written(
    read: Callable[[str], object], noun: str, pattern: str, advice: str, example: str
) -> GetPydanticSchema:
    """Make a type of text in one form, from which ``read`` makes the value."""

    def value(given: object) -> object:
        is_size = noun == "a size"
        if is_size and isinstance(given, Trap):  # quotes would not help
            seen = f"{shown(given.raw)} was read as {given.read_as}"
            raise ValueError(f"{seen}; {advice.replace(' it ', ' a size ')}")
        if is_size and type(given) is int:
            given = str(given)
        if not isinstance(given, str):
            raise ValueError(refusal_of_text(given))  # noqa: TRY004 - pydantic's exception
        # In Python "$" also matches before a final line feed, in JSON Schema it does not.
        if not re.match(pattern, given) or "\n" in given:
            meant = _size_meant(given)
            is_meant = is_size and re.match(pattern, meant)
            instead = f"did you mean '{meant}'?" if is_meant else advice
            raise ValueError(f"'{shown(given)}' is not {noun}; {instead}")
        return read(given)

    return _schema(value, {"type": "string", "pattern": pattern, "examples": [example]})


def _schema(read: Callable[[object], object], json_schema: dict[str, Any]) -> GetPydanticSchema:
    return GetPydanticSchema(
        lambda _source, _handler: core_schema.no_info_plain_validator_function(read),
        lambda _schema, _handler: json_schema,
    )


def refusal_of_text(value: object) -> str:
    """Say why a value is not text: a number or boolean may have been meant as text (P-13)."""
    match value:
        case Trap():
            meant = f"write {shown(value.quoted)}"
            return f"{shown(value.raw)} was read as {value.read_as}; {meant}"
        case bool():
            word = str(value).lower()
            return f'{word} was read as the boolean {word}; write "{word}"'
        case int():
            return f'{value} was read as the number {value}; write "{value}"'
        case None:
            return "is empty; give it a value or remove the key"
        case _:
            return "is a list or a mapping; write one value"


def refusal_of_number(value: object, allowed: str) -> str:
    """Say why a value is not a whole number."""
    match value:
        case Trap():
            seen = f"{shown(value.raw)} was read as {value.read_as}"
            return f"{seen}; write a plain whole number, {allowed}"
        case str():
            return f"'{shown(value)}' is text; write a whole number without quotes, {allowed}"
        case _:
            return f"is not a number; write a whole number, {allowed}"


def _size_meant(given: str) -> str:
    found = _NUMBER_AND_UNIT.fullmatch(given)
    if not found:
        return ""
    number, letter = int(found[1]), found[2][:1].lower()
    usual = "GiB" if number < _LEAST_USUAL_MIB else "MiB"
    return str(number) + {"m": "MiB", "g": "GiB", "": usual}.get(letter, "")


def _boolean(given: object) -> bool:
    match given:
        case bool():
            return given
        case Trap():
            seen = f"{shown(given.raw)} was read as {given.read_as}"
            raise ValueError(f"{seen}; write true or false")
        case "true" | "false":
            raise ValueError(f"'{given}' is text; write {given} without quotes")
        case _:
            raise ValueError("is neither true nor false; write one of them")


def _mib(size: str) -> int:
    mib = int(size[:-3]) * (1024 if size.endswith("GiB") else 1)
    if mib > _MAX_GIB * 1024:
        raise ValueError(f"'{size}' is out of range; use at most '{_MAX_GIB}GiB'")
    return mib


def _disk_gib(size: str) -> int:
    # The image's file system has room in its tables to grow to the maximum, and no further.
    gib = _mib(size) // 1024
    if gib < _MIN_DISK_GIB:
        raise ValueError(f"'{size}' is too small; use at least '{_MIN_DISK_GIB}GiB'")
    return gib


def _subnet(text: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError as error:
        raise ValueError(f"'{text}' is not an IPv4 network; {_SUBNET[2]}") from error
    if not any(network.subnet_of(private) for private in _PRIVATE):
        allowed = ", ".join(str(private) for private in _PRIVATE)
        raise ValueError(f"'{network}' is not private; use a part of {allowed}")
    if str(network) != text:
        raise ValueError(f"'{text}' is not a network's first address; use '{network}'")
    return network


def _service_subnet(text: str) -> ipaddress.IPv4Network:
    network = _subnet(text)
    if network.prefixlen not in _SERVICE_PREFIXES:
        allowed = f"/{_SERVICE_PREFIXES[0]} to /{_SERVICE_PREFIXES[-1]}"
        raise ValueError(f"'{network}' is not of a size for services; use {allowed}")
    return network


def _label_key(key: str) -> str:
    domain = key.rpartition("/")[0]
    if ".." in domain:
        raise ValueError(f"'{shown(key)}' is not a label key; {_KEY_RULE}")
    may_be_set = _is_within(domain, _KUBELET_DOMAINS) or key in _KUBELET_KEYS
    if _is_within(domain, _OWN_DOMAINS) and not may_be_set:
        raise ValueError(
            f"'{shown(key)}' is a name of Kubernetes' own that a kubelet may not set; "
            "use a key outside kubernetes.io and k8s.io"
        )
    return key


def _is_within(domain: str, parents: tuple[str, ...]) -> bool:
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents)


_SUBNET = (
    "an IPv4 network",
    r"^([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}$",
    "write it like '10.0.0.0/16'",
    "10.0.0.0/16",
)
_MEMORY_PATTERN, _DISK_PATTERN = r"^[1-9][0-9]{0,6}(MiB|GiB)$", r"^[1-9][0-9]{0,3}GiB$"
_KEY_PATTERN = rf"^([a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME}$"

Boolean = Annotated[bool, _schema(_boolean, {"type": "boolean"})]
Name = Annotated[
    ClusterName,
    written(ClusterName, "a cluster name", CLUSTER_NAME_PATTERN, CLUSTER_NAME_RULE, "demo"),
]
Memory = Annotated[
    int, written(_mib, "a size", _MEMORY_PATTERN, "write it like '2GiB' or '1536MiB'", "2GiB")
]
Disk = Annotated[int, written(_disk_gib, "a size", _DISK_PATTERN, "write it like '20GiB'", "20GiB")]
Subnet = Annotated[ipaddress.IPv4Network, written(_subnet, *_SUBNET)]
ServiceSubnet = Annotated[ipaddress.IPv4Network, written(_service_subnet, *_SUBNET)]
LabelKey = Annotated[str, written(_label_key, "a label key", _KEY_PATTERN, _KEY_RULE, "disk")]
LabelValue = Annotated[str, written(str, "a label value", rf"^({_NAME})?$", _NAME_RULE, "fast")]
