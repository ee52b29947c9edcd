"""The files of the image's roles say what a node needs."""

import configparser
import tomllib
from pathlib import Path

import jinja2
import pytest
import yaml

from bootstrap.resources import resource_directory

ROLES = resource_directory("playbooks") / "roles"
IMAGE_ROLES = ("os_baseline", "containerd", "kubernetes_binaries", "container_images", "seal")
TREE = ROLES / "os_baseline" / "files" / "tree"


def unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters="=")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text())
    return parser


def containerd_config() -> dict[str, object]:
    template = ROLES / "containerd" / "templates/etc/containerd/config.toml.j2"
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)  # noqa: S701 - TOML
    environment.filters["comment"] = lambda text: f"# {text}"
    values = {"ansible_managed": "x", "containerd_pause_image": "r.example/pause:3.10.2"}
    return tomllib.loads(environment.from_string(template.read_text()).render(values))


@pytest.mark.parametrize("role", IMAGE_ROLES)
def test_every_variable_of_a_role_is_described_and_prefixed(role: str) -> None:
    specs = yaml.safe_load((ROLES / role / "meta/argument_specs.yml").read_text())
    options = specs["argument_specs"]["main"]["options"]
    assert all(name.startswith(f"{role}_") for name in options)
    assert all(option["required"] and option["description"] for option in options.values())
    tasks = "".join(path.read_text() for path in (ROLES / role / "tasks").glob("*.yml"))
    templates = "".join(path.read_text() for path in (ROLES / role).rglob("*.j2"))
    assert all(name in tasks + templates for name in options)


def test_a_nodes_limits_for_watched_files_are_raised() -> None:
    """P-12: many pods use up the default of 128 instances."""
    lines = (TREE / "etc/sysctl.d/90-kubernetes.conf").read_text().splitlines()
    pairs = (line.split(" = ") for line in lines if not line.startswith("#"))
    values = {name: int(value) for name, value in pairs}
    assert values["fs.inotify.max_user_instances"] >= 8192
    assert values["fs.inotify.max_user_watches"] >= 524288
    assert values["net.ipv4.ip_forward"] == 1
    assert values["net.bridge.bridge-nf-call-iptables"] == 1


def test_swap_is_impossible() -> None:
    lines = (TREE / "etc/fstab").read_text().splitlines()
    fields = [line.split() for line in lines if not line.startswith("#")]
    assert [entry[1] for entry in fields] == ["/"]
    masked = yaml.safe_load((ROLES / "os_baseline/vars/main.yml").read_text())
    assert "system/swap.target" in masked["__os_baseline_masked"]


def test_cloud_init_asks_no_network_and_makes_no_keys_but_ed25519() -> None:
    config = yaml.safe_load((TREE / "etc/cloud/cloud.cfg").read_text())
    assert config["datasource_list"] == ["NoCloud"]
    assert config["ssh_genkeytypes"] == ["ed25519"]
    assert config["ssh_pwauth"] is False
    assert {"write_files", "set_hostname", "users_groups", "ssh"} <= set(
        config["cloud_init_modules"]
    )


def test_login_by_password_is_disabled() -> None:
    text = (TREE / "etc/ssh/sshd_config.d/10-node.conf").read_text()
    lines = dict(line.split(maxsplit=1) for line in text.splitlines() if line[0] != "#")
    assert lines["PasswordAuthentication"] == "no"
    assert lines["KbdInteractiveAuthentication"] == "no"
    assert lines["PermitRootLogin"] == "prohibit-password"
    assert lines["HostKey"] == "/etc/ssh/ssh_host_ed25519_key"


def test_the_packet_filter_never_flushes_foreign_tables() -> None:
    text = (TREE / "etc/nftables.conf").read_text()
    assert "flush" not in text
    drop_in = TREE / "etc/systemd/system/nftables.service.d/10-keep-foreign-tables.conf"
    assert unit(drop_in)["Service"]["ExecStop"] == ""


def test_containerd_uses_crun_and_systemd_and_seldom_counts() -> None:
    plugins = containerd_config()["plugins"]
    assert isinstance(plugins, dict)
    runtime, images = (plugins[f"io.containerd.cri.v1.{name}"] for name in ("runtime", "images"))
    options = runtime["containerd"]["runtimes"]["runc"]["options"]
    assert options == {"BinaryName": "/usr/bin/crun", "SystemdCgroup": True}
    assert (runtime["stats_collect_period"], images["stats_collect_period"]) == ("600s", 600)
    assert images["pinned_images"]["sandbox"] == "r.example/pause:3.10.2"
    assert runtime["cni"]["bin_dirs"] == ["/opt/cni/bin"]


def test_a_kubelet_that_is_not_configured_does_not_start() -> None:
    kubelet = unit(ROLES / "kubernetes_binaries/files/kubelet.service")
    assert kubelet["Unit"]["ConditionPathExists"] == "/var/lib/kubelet/config.yaml"
    assert kubelet["Unit"]["StartLimitIntervalSec"] == "0"
    assert "$KUBELET_KUBEADM_ARGS" in kubelet["Service"]["ExecStart"]


def test_a_restart_of_containerd_keeps_containers_alive() -> None:
    containerd = unit(ROLES / "containerd/files/containerd.service")
    assert containerd["Service"]["KillMode"] == "process"
    assert containerd["Service"]["Delegate"] == "yes"


def test_the_mirrors_address_is_not_in_the_image() -> None:
    """SEC: a mirror's address may hold a password."""
    absent = yaml.safe_load((ROLES / "seal/vars/main.yml").read_text())["__seal_absent"]
    assert {
        "/etc/apt/sources.list",
        "/etc/apt/sources.list.d",
        "/etc/apt/apt.conf.d/99mmdebstrap",
    } <= set(absent)
