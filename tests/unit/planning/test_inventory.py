"""Files that lead Ansible and OpenSSH to the nodes, and nothing of the user's beside them."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from bootstrap.model.plan import Acceleration
from bootstrap.planning.inventory import inventory, ssh_config
from tests.builders import a_cluster_spec, a_plan

KEY = Path("/state/demo/ssh/client")
#: SEC-02, but for HostKeyAlias and the paths, which differ for each node.
WANTED = {
    "StrictHostKeyChecking yes",
    "GlobalKnownHostsFile /dev/null",
    "HostKeyAlgorithms ssh-ed25519",
    "UpdateHostKeys no",
    "BatchMode yes",
    "IdentitiesOnly yes",
    "IdentityAgent none",
    "ForwardAgent no",
    "PasswordAuthentication no",
    "PreferredAuthentications publickey",
}


def test_the_inventory_as_it_was_reviewed(golden: Callable[[str, str], None]) -> None:
    text = yaml.safe_dump(inventory(a_plan()), sort_keys=False)
    golden("inventory.yml", text)


def test_the_ssh_configuration_as_it_was_reviewed(golden: Callable[[str, str], None]) -> None:
    golden("ssh_config", ssh_config(a_plan(), client_key=KEY))


def test_every_node_has_every_option_that_shuts_something_out() -> None:
    """SEC-02, S-02, S-03, S-04, S-07."""
    plan = a_plan(a_cluster_spec(workers=2))
    blocks = ssh_config(plan, client_key=KEY).split("\n\n")
    assert len(blocks) == 3
    for block, node in zip(blocks, plan.nodes, strict=True):
        lines = {line.strip() for line in block.splitlines()}
        assert lines >= WANTED
        assert {f"Host {node.name}", f"HostKeyAlias {node.name}", f"Port {node.ssh_port}"} <= lines
        assert 'UserKnownHostsFile "/state/demo/ssh/known_hosts"' in lines


def test_nothing_trusts_on_first_use() -> None:
    """SEC-02, S-01."""
    text = ssh_config(a_plan(), client_key=KEY)
    assert not re.search(r"StrictHostKeyChecking\s+(no|off|accept-new)|keyscan|CheckHostIP", text)


def test_no_secret_is_in_the_inventory() -> None:
    text = yaml.safe_dump(inventory(a_plan()))
    assert not re.search(r"token|PRIVATE|password|_pass\b", text, re.IGNORECASE)


def test_every_node_is_in_the_group_of_its_role() -> None:
    plan = a_plan(a_cluster_spec(workers=2))
    document: dict[str, dict[str, dict[str, dict[str, dict[str, object]]]]]
    document = inventory(plan)  # type: ignore[assignment]
    groups = document["all"]["children"]
    assert list(groups["control_planes"]["hosts"]) == ["control-plane"]
    assert list(groups["workers"]["hosts"]) == ["worker", "worker2"]


@pytest.mark.parametrize(
    ("acceleration", "timeout"), [(Acceleration.KVM, 300), (Acceleration.EMULATED, 1800)]
)
def test_kubeadm_has_the_patience_of_the_plan(acceleration: Acceleration, timeout: int) -> None:
    document: dict[str, dict[str, dict[str, object]]]
    document = inventory(a_plan(acceleration=acceleration))  # type: ignore[assignment]
    assert document["all"]["vars"]["kubeadm_init_timeout"] == timeout
