"""Loading as a whole: the spec, the error, and what it takes."""

import subprocess
import sys
from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.errors import ConfigError
from bootstrap.model.names import ClusterName
from bootstrap.model.sources import Source
from bootstrap.model.spec import (
    ClusterSpec,
    NetworkingSpec,
    NodeGroupSpec,
    NodeRole,
    SecurityProfile,
    SecuritySpec,
)

Problems = Callable[..., list[str]]

FULL = Path(__file__).parents[2] / "data" / "clusters" / "valid-full.yaml"


def test_every_value_of_the_file_is_in_the_spec() -> None:
    def worker(**changes: object) -> NodeGroupSpec:
        values = {"count": 1, "cpus": 1, "memory_mib": 2048, "disk_gib": 20, "labels": {}}
        return NodeGroupSpec(role=NodeRole.WORKER, **values | changes)  # type: ignore[arg-type]

    assert load_spec(FULL, Flags()) == ClusterSpec(
        name=ClusterName("demo"),
        kubernetes_version="v1.37.2",
        source=Source.AUTO,
        hypervisor_uri="qemu:///system",
        node_groups=(
            NodeGroupSpec(
                role=NodeRole.CONTROL_PLANE,
                count=1,
                cpus=4,
                memory_mib=4096,
                disk_gib=20,
                labels={},
            ),
            worker(
                count=2,
                memory_mib=1536,
                disk_gib=40,
                labels={
                    "disk": "fast",
                    "example.com/rack": "12",
                    "topology.kubernetes.io/zone": "a",
                    "empty": "",
                },
            ),
            worker(cpus=2, kubelet_version="v1.36.3"),
        ),
        networking=NetworkingSpec(
            mode="links",
            cni="bridge",
            node_subnet=IPv4Network("100.64.8.0/24"),
            pod_subnet=IPv4Network("172.16.0.0/16"),
            service_subnet=IPv4Network("192.168.0.0/24"),
            api_server_port=6443,
            host_access=True,
        ),
        security=SecuritySpec(profile=SecurityProfile.STRICT),
    )


def test_more_problems_than_fit_a_screen_are_counted(problems: Problems) -> None:
    lines = problems("".join(f"key{number}: 1\n" for number in range(30)))
    assert len(lines) == 21
    assert lines[0].startswith("x.yaml:3:1: key0: ")
    assert lines[-1] == "and 10 more."


def test_control_characters_are_escaped_in_names_and_values(tmp_path: Path) -> None:
    path = tmp_path / "\x1b]0;x\x07.yaml"
    path.write_text('"\\e[2J\u202e": "\\e[31m"\nkind: "\\e[0m\\n"\n', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_spec(path, Flags())
    text = caught.value.message + caught.value.details.replace("\n", "")
    assert text.isprintable()
    assert r"\x1b[2J" in text


def test_importing_the_configuration_loads_no_heavy_library() -> None:
    code = (
        "import sys, bootstrap.config.load, bootstrap.config.generated; "
        "print({'libvirt', 'ansible', 'ansible_runner', 'kubernetes', 'paramiko', 'jinja2'}"
        " & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "set()\n"
