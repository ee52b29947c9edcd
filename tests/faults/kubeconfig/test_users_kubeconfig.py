"""G-12, H-12, H-17, R-02, R-03, SEC-32: the user's kubeconfig among others, and among kills."""

import json
import multiprocessing
import signal
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.adapters.kubeconfig import merge_into_user, remove_from_user
from bootstrap.errors import NotOursError
from bootstrap.model.kubeconfig import build_kubeconfig
from bootstrap.model.names import ClusterName
from tests import scale

INSTALL, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
WRITERS = scale.trials(ci=50, long=50)
KILLS = scale.trials(ci=100, long=20_000)
DEMO = ClusterName("demo")
SECTIONS = {"clusters": "cluster", "contexts": "context", "users": "user"}

fork = multiprocessing.get_context("fork")

words = st.sampled_from(
    ["prod", "gke_p_europe-west1_c", "arn:aws:eks:eu-1:12:cluster/x", "no", "1.30", "2026-01-01"]
) | st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
scalars = st.one_of(
    words, st.booleans(), st.integers(), st.none(), st.floats(allow_nan=False),
    st.sampled_from(["", " x ", "a: b", "- a", "# no comment", "\n", "a\nb\n", "null", "~"]),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
extensions = st.lists(
    st.fixed_dictionaries({"name": words, "extension": values}), min_size=1, max_size=2
)
exec_plugin = st.fixed_dictionaries(
    {
        "apiVersion": st.just("client.authentication.k8s.io/v1beta1"),
        "command": st.sampled_from(["aws", "gke-gcloud-auth-plugin", "/opt/my plugin"]),
        "args": st.lists(words, max_size=3),
        "env": st.none() | st.lists(st.fixed_dictionaries({"name": words, "value": words})),
        "interactiveMode": st.sampled_from(["Never", "IfAvailable"]),
    }
)
bodies = {
    "clusters": st.fixed_dictionaries(
        {"server": st.sampled_from(["https://10.0.0.1:6443", "http://[::1]:80"])},
        optional={
            "certificate-authority": words,
            "insecure-skip-tls-verify": st.booleans(),
            "proxy-url": words,
            "extensions": extensions,
            "unknown": values,
        },
    ),
    "contexts": st.fixed_dictionaries(
        {"cluster": words, "user": words}, optional={"namespace": words, "extensions": extensions}
    ),
    "users": st.fixed_dictionaries(
        {},
        optional={
            "exec": exec_plugin,
            "token": words,
            "auth-provider": st.fixed_dictionaries({"name": words, "config": values}),
            "client-key-data": st.just("LS0tLS1="),
            "extensions": extensions,
            "unknown": values,
        },
    ),
}
sections = {
    section: st.none()
    | st.lists(st.fixed_dictionaries({"name": words, body: bodies[section]}), max_size=3)
    for section, body in SECTIONS.items()
}
documents: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"apiVersion": st.just("v1"), "kind": st.just("Config")},
    optional={
        **sections,
        "current-context": st.just("") | words,
        "preferences": st.just({}) | st.just({"colors": True}),
        "extensions": extensions,
        "x-unknown": values,
    },
) | st.just({})
styles: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from([True, False, None]),
        "sort_keys": st.booleans(),
        "indent": st.sampled_from([2, 4]),
        "explicit_start": st.booleans(),
        "allow_unicode": st.booleans(),
    }
)
comments = st.sampled_from(["", "# mine\n", "\n\n# a: b\n"])


def merge(cluster: ClusterName, environ: Mapping[str, str], *, patience_s: float = 60) -> Path:
    document = build_kubeconfig(cluster, "https://127.0.0.1:6443", "ca", "crt", "key")
    return merge_into_user(
        document, use=False, install_id=INSTALL, environ=environ, patience_s=patience_s
    )


def remove(
    cluster: ClusterName, environ: Mapping[str, str], *, patience_s: float = 60
) -> list[str]:
    return remove_from_user(cluster, INSTALL, environ, patience_s=patience_s)


def foreign(text: str) -> Mapping[str, Any]:
    """Return what is not ours, read by another reader's rules; an empty list is no list."""
    document = yaml.load(text, yaml.BaseLoader) or {}  # noqa: S506 - it makes texts only
    for section in SECTIONS:
        entries = document.get(section) or []
        entries = entries if isinstance(entries, list) else []
        document[section] = [item for item in entries if item["name"] != "bootstrap-demo"]
    if document.get("current-context") in ("bootstrap-demo", ""):
        document.pop("current-context")
    ours = {"apiVersion": "v1", "kind": "Config"}
    return {key: value for key, value in document.items() if value and ours.get(key) != value}


@st.composite
def written(draw: st.DrawFn) -> str:
    """Return a kubeconfig's text, in any style that its writer may have."""
    document = draw(documents)
    if not document:
        return draw(comments)
    if draw(st.integers(0, 9)) == 0:
        return json.dumps(document)
    head = draw(comments)
    text: str = yaml.safe_dump(document, **draw(styles))
    return head + text + draw(comments)


@scale.fuzzed(ci=300, long=20_000)
@given(
    texts=st.lists(written(), min_size=1, max_size=3),
    missing=st.integers(0, 3),
    linked=st.booleans(),
)
def test_what_is_not_ours_stays_and_what_is_goes(
    texts: list[str], missing: int, *, linked: bool
) -> None:
    """Several files, links, plugins, unknown keys: all equal with ours in, and after it."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        files = [home / f"config{number}" for number in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            target = home / "real" / file.name if linked else file
            target.parent.mkdir(exist_ok=True)
            target.write_text(text)
            if linked:
                file.symlink_to(target)
        files.insert(missing % (len(files) + 1), home / "absent")
        environ = {"KUBECONFIG": ":".join(map(str, files)), "HOME": name}
        before = [foreign(text) for text in texts]
        target = merge(DEMO, environ)
        assert contents(files) == before
        merged = target.read_text()
        assert [user["name"] for user in yaml.safe_load(merged)["users"]].count(
            "bootstrap-demo"
        ) == 1
        assert merge(DEMO, environ) == target
        assert target.read_text() == merged
        assert remove(DEMO, environ) == []
        assert contents(files) == before
        assert [file.is_symlink() for file in files if file.exists()] == [linked] * len(texts)
        assert not list(home.rglob("*.lock"))
        assert not list(home.rglob(".bootstrap-*"))


def contents(files: list[Path]) -> list[Mapping[str, Any]]:
    return [foreign(file.read_text()) for file in files if file.exists() and file.name != "absent"]


@scale.fuzzed(ci=100, long=5_000)
@given(text=written(), section=st.sampled_from(list(SECTIONS)), changed=st.booleans())
def test_an_entry_of_our_name_that_is_not_ours_is_refused(
    text: str, section: str, *, changed: bool
) -> None:
    """H-17, H-19: from any writer; the file stays the same to the byte."""
    with tempfile.TemporaryDirectory() as name:
        config = Path(name, "config")
        document = yaml.safe_load(text) or {"apiVersion": "v1", "kind": "Config"}
        entry = {"name": "bootstrap-demo", SECTIONS[section]: {"server": "https://mine"}}
        if changed:
            mark = {"installId": str(OTHER), "cluster": "demo", "digest": "sha256:0"}
            extension = {"name": "bootstrap.dev", "extension": mark}
            entry[SECTIONS[section]] = {"server": "https://mine", "extensions": [extension]}
        document[section] = [*(document.get(section) or []), entry]
        config.write_text(yaml.safe_dump(document))
        before = config.read_bytes()
        environ = {"KUBECONFIG": str(config), "HOME": name}
        with pytest.raises(NotOursError):
            merge(DEMO, environ)
        assert config.read_bytes() == before
        assert remove(DEMO, environ) == []
        assert config.read_bytes() == before


FOREIGN = """\
apiVersion: v1
kind: Config
clusters:
- cluster:
    server: https://prod  # careful
  name: prod
contexts:
- context: {cluster: prod, user: prod}
  name: prod
current-context: prod
users:
- name: prod
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, args: [eks, get-token]}
"""


@pytest.fixture(name="environ")
def _environ(tmp_path: Path) -> dict[str, str]:
    config = tmp_path / "config"
    config.write_text(FOREIGN)
    config.chmod(0o600)
    return {"KUBECONFIG": str(config), "HOME": str(tmp_path)}


def test_fifty_writers_at_once_lose_nothing(environ: dict[str, str]) -> None:
    config = Path(environ["KUBECONFIG"])
    clusters = [ClusterName(f"demo{number}") for number in range(WRITERS)]
    run_all([(merge, cluster, environ) for cluster in clusters])
    document = yaml.safe_load(config.read_text())
    for section in SECTIONS:
        names = [entry["name"] for entry in document[section]]
        assert sorted(names) == sorted(["prod", *(f"bootstrap-{cluster}" for cluster in clusters)])
    # Half go while others come.
    half = WRITERS // 2
    more = [ClusterName(f"more{number}") for number in range(half)]
    run_all(
        [(remove, cluster, environ) for cluster in clusters]
        + [(merge, cluster, environ) for cluster in more]
    )
    users = {entry["name"] for entry in yaml.safe_load(config.read_text())["users"]}
    assert users == {"prod", *(f"bootstrap-{cluster}" for cluster in more)}
    for cluster in more:
        assert remove(cluster, environ) == []
    assert config.read_text() == FOREIGN


def run_all(calls: list[tuple[Any, ClusterName, Mapping[str, str]]]) -> None:
    writers = [fork.Process(target=call, args=(name, environ)) for call, name, environ in calls]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * len(writers)


def write_for_ever(environ: Mapping[str, str]) -> None:
    while True:
        merge(DEMO, environ)
        remove(DEMO, environ)


def test_killed_writers_never_damage_the_file(environ: dict[str, str]) -> None:
    """Whatever a SIGKILL leaves is the old file or the new one, and the next run cleans up."""
    config, chance = Path(environ["KUBECONFIG"]), scale.chance("kills")
    lock = config.with_name("config.lock")
    merge(DEMO, environ)
    merged = config.read_text()
    remove(DEMO, environ)
    mid_run = 0
    for _ in range(KILLS):
        writer = fork.Process(target=write_for_ever, args=(environ,))
        writer.start()
        writer.join(timeout=chance.uniform(0.002, 0.08))
        writer.kill()
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
        assert config.read_text() in (FOREIGN, merged)
        mid_run += lock.exists()
        merge(DEMO, environ, patience_s=0)  # the lock went with its holder
        assert config.read_text() == merged
        assert remove(DEMO, environ) == []
        assert config.read_text() == FOREIGN
        assert [path.name for path in config.parent.iterdir()] == ["config"]
    assert mid_run > KILLS // 10, "most kills came before or after the work"
