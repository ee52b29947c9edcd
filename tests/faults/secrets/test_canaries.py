"""G-25, G-26: the guard around every test is itself seen red, once for each way to leak."""

import re

from tests.faults.secrets.conftest import Judge

_HEAD = """
import logging, os, subprocess, sys
from pathlib import Path
import pytest
from bootstrap.adapters.trust.store import TrustStore
from bootstrap.adapters.trust.token import make_bootstrap_token
from bootstrap.adapters.trust.cluster import ClusterTrust
from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.model.plan import Acceleration
from bootstrap.model.site import Site
from bootstrap.adapters.cluster_files import StateFiles
from bootstrap.model.keys import ClusterKeys
from bootstrap.planning.cluster_files import cluster_files, kubeconfig_file
from bootstrap.planning.members import members_of
from bootstrap.planning.plan import make_plan, wanted_slots
from bootstrap.model.names import ClusterName

@pytest.fixture
def trust(tmp_path):
    return ClusterTrust(TrustStore(tmp_path / "state" / "demo"))
"""
_DEF = """
@pytest.mark.runs_programs
def test_{name}(trust, tmp_path, capsys, monkeypatch):
    key = trust.certificates()["ca.key"]
    ssh = trust.node_keys("worker").host_private_key
    token = trust.new_join_token()
"""

LEAKS = {
    "a key in a log file": '(tmp_path / "up.log").write_text(f"wrote {key}")',
    "a key as JSON": '(tmp_path / "state" / "demo" / "plan.json").write_text(repr(key))',
    "a key encoded again": """
    import base64
    (tmp_path / "x").write_bytes(b"data: " + base64.b64encode(key.encode()))""",
    "an SSH key in the home": '(Path(os.environ["HOME"]) / "history").write_text(ssh)',
    "an SSH key encoded again": """
    import base64
    (tmp_path / "x").write_bytes(base64.b64encode(ssh.encode()))""",
    "a token in a file": '(tmp_path / "x").write_text(token)',
    "the secret part of a token": '(tmp_path / "x").write_text(token[7:])',
    "a token on stdout": "print(token)",
    "a token on stdout that the test read": "print(token); capsys.readouterr()",
    "an encryption key in a file": '(tmp_path / "x").write_text(trust.encryption_key())',
    "a token in the log": 'logging.getLogger("x").warning("token %s", token)',
    "a token as an argument": 'subprocess.run(["true", f"--token={token}"])',
    "a token in a child's environment": """
    subprocess.run(["true"], env={**os.environ, "TOKEN": token})""",
    "a token in our own environment": """
    monkeypatch.setenv("TOKEN", token)
    subprocess.run(["true"])""",
    "a token from a child": """
    subprocess.run(["cat"], input=token, text=True, capture_output=True)""",
    "a key of another process": """
    (tmp_path / "other" / "ssh").mkdir(parents=True)
    file = tmp_path / "other" / "ssh" / "client"
    program = "import sys; from bootstrap.adapters.trust.ssh_keys import make_ssh_key_pair as m;"
    program += "t = m().private_text; open(sys.argv[1], 'w').write(t);"
    program += "open(sys.argv[2], 'w').write(t)"
    subprocess.run([sys.executable, "-c", program, file, tmp_path / "x"], check=True)
    file.chmod(0o600)""",
    "a command that prints a token": """
    import click
    from click.testing import CliRunner
    CliRunner().invoke(click.Command("x", callback=lambda: click.echo(token)))""",
    "a key in an archive": """
    import io, tarfile
    entry = tarfile.TarInfo("logs/kubelet.txt")
    entry.size = len(key)
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        archive.addfile(entry, io.BytesIO(key.encode()))""",
    "a secret file that others may read": """
    (tmp_path / "state" / "demo" / "ssh" / "host-worker").chmod(0o644)""",
}
HARMLESS = {
    "what our code keeps by itself": 'trust.node_keys("x")',
    "the files of a strict cluster": """
    from uuid import uuid4
    spec = load_spec(None, Flags(name="demo", security_profile="strict"))
    site = Site(install_id=uuid4(), owner_uid=1, hypervisor_uri="x",
                state=tmp_path / "state", volumes=tmp_path)
    members = members_of(spec)
    ports = {slot: number for number, slot in enumerate(wanted_slots(site, members), 30000)}
    plan = make_plan(spec, site, members, ports, acceleration=Acceleration.KVM)
    hosts = {node.name: trust.node_keys(node.name).host_public_key for node in plan.nodes}
    keys = ClusterKeys(certificates=trust.certificates(), encryption_key=trust.encryption_key(),
                       host_keys=hosts, client_key_file=trust.client_key_file(),
                       user=trust.user_certificate(plan.name))
    files = cluster_files(plan, keys) | kubeconfig_file(plan, keys)
    StateFiles(site.state).ensure_files(plan.name, files)""",
    "public halves": """
    print(trust.certificates()["ca.crt"], trust.certificates()["sa.pub"])
    print(trust.node_keys("x").host_public_key, trust.authority_hash(), token[:6])""",
    "the objects that hold secrets": "print(trust.node_keys('x'), trust._store)",
}
ALLOWED = {
    "a test may say where it shows secrets": '(tmp_path / "x").write_text(token); print(token)',
}


def test_every_leak_fails_its_test_and_nothing_else_does(judge: Judge) -> None:
    bodies = {**LEAKS, **HARMLESS, **ALLOWED}
    wanted = {name for name in bodies if name in LEAKS}
    result = judge(_HEAD + "".join(_test(name, body) for name, body in bodies.items()))
    result.assert_outcomes(passed=len(bodies), errors=len(wanted))
    failed = {line.partition("::test_")[2] for line in result.outlines if line.startswith("ERROR ")}
    assert {name.partition(" - ")[0] for name in failed} == {_name(name) for name in wanted}


def _test(name: str, body: str) -> str:
    marks = '@pytest.mark.shows_secrets("*/x", "output")\n' if name in ALLOWED else ""
    return f"{marks}{_DEF.format(name=_name(name))}    {body.strip()}\n"


def _name(name: str) -> str:
    return re.sub(r"\W+", "_", name)
