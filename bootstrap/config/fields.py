"""The type of each value in the cluster file: how it is read, and its JSON Schema."""

import ipaddress
from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

from bootstrap.config.quantities import (
    DISK_PATTERN,
    LABEL_KEY_PATTERN,
    LABEL_VALUE_PATTERN,
    MEMORY_PATTERN,
    SUBNET_PATTERN,
    cluster_name,
    disk_gib,
    label_key,
    label_value,
    memory_mib,
    service_subnet,
    subnet,
)
from bootstrap.config.values import one_of, whole_number
from bootstrap.model.names import CLUSTER_NAME_PATTERN, ClusterName
from bootstrap.model.spec import NodeRole, SecurityProfile
from bootstrap.model.versions import SUPPORTED_VERSIONS

API_VERSION = "bootstrap.dev/v1alpha1"
KIND = "Cluster"
MAX_WORKERS = 99
_ROLES = tuple(role.value for role in NodeRole)
_PROFILES = tuple(profile.value for profile in SecurityProfile)
_URIS = ("qemu:///session", "qemu:///system")
_MAX_CPUS = 128


def _pattern(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


def _words(allowed: tuple[str, ...]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(allowed)})


def _range(minimum: int, maximum: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "integer", "minimum": minimum, "maximum": maximum})


def _role(value: object) -> NodeRole:
    return NodeRole(one_of("a role", _ROLES)(value))


def _profile(value: object) -> SecurityProfile:
    return SecurityProfile(one_of("a security profile", _PROFILES)(value))


# "| None" stands for "not in the file": a reader refuses a value that is empty there.
ApiVersion = Annotated[
    str, PlainValidator(one_of("an apiVersion", [API_VERSION])), _words((API_VERSION,))
]
Kind = Annotated[str, PlainValidator(one_of("a kind", [KIND])), _words((KIND,))]
Version = Annotated[
    str,
    PlainValidator(one_of("a supported version", SUPPORTED_VERSIONS)),
    _words(SUPPORTED_VERSIONS),
]
Name = Annotated[ClusterName, PlainValidator(cluster_name), _pattern(CLUSTER_NAME_PATTERN, "demo")]
Uri = Annotated[str | None, PlainValidator(one_of("a supported URI", _URIS)), _words(_URIS)]
Role = Annotated[NodeRole, PlainValidator(_role), _words(_ROLES)]
Count = Annotated[int, PlainValidator(whole_number(0, MAX_WORKERS)), _range(0, MAX_WORKERS)]
Cpus = Annotated[int | None, PlainValidator(whole_number(1, _MAX_CPUS)), _range(1, _MAX_CPUS)]
Memory = Annotated[int | None, PlainValidator(memory_mib), _pattern(MEMORY_PATTERN, "2GiB")]
Disk = Annotated[int, PlainValidator(disk_gib), _pattern(DISK_PATTERN, "20GiB")]
LabelKey = Annotated[str, PlainValidator(label_key), _pattern(LABEL_KEY_PATTERN, "disk")]
LabelValue = Annotated[str, PlainValidator(label_value), _pattern(LABEL_VALUE_PATTERN, "fast")]
Mode = Annotated[str, PlainValidator(one_of("a mode", ["links"])), _words(("links",))]
Cni = Annotated[str, PlainValidator(one_of("a CNI", ["bridge"])), _words(("bridge",))]
Profile = Annotated[SecurityProfile, PlainValidator(_profile), _words(_PROFILES)]
Subnet = Annotated[
    ipaddress.IPv4Network, PlainValidator(subnet), _pattern(SUBNET_PATTERN, "10.244.0.0/16")
]
ServiceSubnet = Annotated[
    ipaddress.IPv4Network, PlainValidator(service_subnet), _pattern(SUBNET_PATTERN, "10.96.0.0/12")
]
Port = Annotated[int | None, PlainValidator(whole_number(1024, 65535)), _range(1024, 65535)]
