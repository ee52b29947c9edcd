"""The seed as cloud-init reads it: valid and without secrets, with any text in it.

cloud-init is not on PyPI, so its JSON Schema is used only where its package is installed
or BOOTSTRAP_CLOUD_INIT_SCHEMA names the file; the shape is checked everywhere.
"""

import json
import os
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.adapters.trust.ssh_keys import SshKeyPair, make_ssh_key_pair
from bootstrap.model.keys import NodeKeys
from bootstrap.planning.node_files import seed_files
from bootstrap.rendering import render
from tests.builders import a_plan

PLAN = a_plan()
NODE = PLAN.workers[0]
HOST, CLIENT = make_ssh_key_pair(), make_ssh_key_pair()
KEYS = NodeKeys(
    host_private_key=HOST.private_text,
    host_public_key=HOST.public_line,
    authorized_key=CLIENT.public_line,
)
SEED = seed_files(NODE, KEYS)
_PACKAGED = "/usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json"
SCHEMA = Path(os.environ.get("BOOTSTRAP_CLOUD_INIT_SCHEMA", _PACKAGED))
#: The secrets that open the cluster, or a registry.
SECRETS = re.compile(
    r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b|RSA PRIVATE|EC PRIVATE|BEGIN PRIVATE|BEGIN CERTIFICATE|"
    r"certificate-?key|client-key-data|(?<![a-z_])passwd:|password:|token",
    re.IGNORECASE,
)
hostile_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40) | (
    st.sampled_from(["a: b", "#", "!!python/x", "{{ x }}", "a\nruncmd: [id]", "'\"", "\x00", "no"])
)


def test_a_node_gets_these_three_files() -> None:
    assert sorted(SEED) == ["meta-data", "network-config", "user-data"]


def test_the_user_data_says_what_it_is() -> None:
    """C-01: without its first line cloud-init ignores the file and says that all is well."""
    assert SEED["user-data"].startswith("#cloud-config\n")


def test_the_user_data_lets_in_one_key_and_no_password() -> None:
    """SEC-01, SEC-03, SEC-04."""
    data = yaml.safe_load(SEED["user-data"])
    (file,) = data.pop("write_files")
    assert file["path"] == "/etc/systemd/network/05-uplink.network"
    assert data == {
        "hostname": NODE.name,
        "ssh_pwauth": False,
        "disable_root": True,
        "users": [
            {
                "name": "node",
                "lock_passwd": True,
                "shell": "/bin/bash",
                "sudo": "ALL=(ALL) NOPASSWD:ALL",
                "ssh_authorized_keys": [CLIENT.public_line],
            }
        ],
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": HOST.private_text, "ed25519_public": HOST.public_line},
    }


def test_the_host_key_is_still_a_key_after_the_way_through_yaml() -> None:
    data = yaml.safe_load(SEED["user-data"])
    assert SshKeyPair.from_private(data["ssh_keys"]["ed25519_private"]) == HOST


def test_the_instance_is_the_domain_and_stays_the_same() -> None:
    """C-04, N-06."""
    data = yaml.safe_load(SEED["meta-data"])
    assert data == {"instance-id": str(NODE.uuid), "local-hostname": NODE.name}
    assert seed_files(NODE, KEYS) == SEED


def test_the_uplink_is_found_by_its_mac_and_has_a_static_address() -> None:
    """The word "default" in a route costs two minutes of boot."""
    data = yaml.safe_load(SEED["network-config"])
    assert data["version"] == 2
    (uplink,) = data["ethernets"].values()
    assert uplink["match"] == {"macaddress": NODE.uplink_mac}
    assert uplink["dhcp4"] is False
    assert uplink["addresses"] == ["10.0.2.15/24"]
    assert uplink["routes"] == [{"to": "0.0.0.0/0", "via": "10.0.2.2"}]
    assert uplink["nameservers"] == {"addresses": ["10.0.2.3"]}


def test_the_seed_holds_no_secret_but_the_nodes_own_host_key() -> None:
    """C-07, SEC-06."""
    text = "\n".join(SEED.values())
    assert text.count("PRIVATE KEY") == 2  # begin and end of one key
    assert SECRETS.findall(text.replace(json.dumps(HOST.private_text), "")) == []
    assert CLIENT.private_text.splitlines()[3] not in text


@pytest.mark.skipif(not SCHEMA.exists(), reason="no JSON Schema of cloud-init on this host")
def test_cloud_inits_own_schema_takes_the_user_data() -> None:
    """G-11."""
    schema = json.loads(SCHEMA.read_text())
    data = yaml.safe_load(SEED["user-data"])
    jsonschema.Draft4Validator(schema).validate(data)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(schema).validate({**data, "ssh_pwauth": [1]})


@given(hostile_text, hostile_text, hostile_text, hostile_text)
def test_text_stays_text(name: str, user: str, key: str, private: str) -> None:
    """C-09, H-08: no value becomes another key of the file, or another type."""
    values = {
        "hostname": name,
        "user": user,
        "authorized_keys": [key],
        "host_private_key": private,
        "host_public_key": key,
        "files": [{"path": name, "content": key, "permissions": "0644"}],
    }
    data = yaml.safe_load(render("seed/user-data.yaml.j2", values))
    plain = yaml.safe_load(SEED["user-data"])
    assert data.keys() == plain.keys()
    assert data["hostname"] == name
    assert data["write_files"] == values["files"]
    assert data["users"] == [{**plain["users"][0], "name": user, "ssh_authorized_keys": [key]}]
    assert data["ssh_keys"] == {"ed25519_private": private, "ed25519_public": key}
