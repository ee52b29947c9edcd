"""A pytest plugin: real Kubernetes clusters as fixtures; docs/how-to/pytest.md shows their use.

Every pytest that finds this package loads the plugin, so nothing of the API is loaded before a test
asks for a cluster.
"""

import contextlib
import logging
import os
import re
import secrets
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bootstrap.terminal import without_control_codes

if TYPE_CHECKING:
    from bootstrap import Client, Cluster, Event

#: Option of the command line and of the configuration file -> what it says, and its place in the
#: arguments of ``Cluster.up``; None for those that are no argument.
_OPTIONS = {
    "k8s-file": ("the cluster file of the clusters", "file"),
    "k8s-workers": ("how many workers the clusters have", "workers"),
    "k8s-version": ("the version of Kubernetes", "kubernetes_version"),
    "k8s-from": ("clone snapshot CLUSTER/SNAPSHOT instead of a new cluster", None),
    "k8s-evidence": ("where the logs of failed tests are kept; default: below --basetemp", None),
}
_KEEP = "--k8s-keep-failed"
_LOGGER = logging.getLogger("bootstrap")
_QUESTIONS = (
    ("get", "pods", "--all-namespaces", "--output", "wide"),
    ("get", "events", "--all-namespaces", "--sort-by", ".lastTimestamp"),
)
_ANSWER_TIMEOUT_S = 30.0
_SHOWN_LINES = 40


@dataclass
class _Used:
    """The clusters of one test, or those of the session."""

    clusters: "list[Cluster]" = field(default_factory=list)
    #: Names of those that a failed test has used.
    failed: set[str] = field(default_factory=set)


_USED = pytest.StashKey[_Used]()
_EVIDENCE = pytest.StashKey[Path]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, which a configuration file can set as well."""
    group = parser.getgroup("bootstrap", "real Kubernetes clusters")
    for name, (text, _) in _OPTIONS.items():
        group.addoption(f"--{name}", metavar="VALUE", help=text)
        parser.addini(_as_key(name), text)
    group.addoption(_KEEP, action="store_true", help="keep the clusters that a failed test used")


@pytest.fixture(scope="session")
def k8s_client() -> "Client":
    """Where the clusters are, and how their runs are reported; a project may override it.

    Events are logged as INFO by the logger ``bootstrap``.
    """
    from bootstrap import Client  # noqa: PLC0415 - not before a test asks for it

    return Client(on_event=_log)


@pytest.fixture(scope="session")
def k8s_options(pytestconfig: pytest.Config) -> dict[str, Any]:
    """Arguments of ``Cluster.up`` for all clusters; a project may override it.

    ``share_trust=True`` is needed for clusters of the security profile ``strict``.
    """
    found = {key: _value(pytestconfig, name) for name, (_, key) in _OPTIONS.items() if key}
    options: dict[str, Any] = {key: value for key, value in found.items() if value}
    if workers := options.get("workers"):
        try:
            options["workers"] = int(workers)
        except ValueError as error:
            raise pytest.UsageError(f"--k8s-workers: '{workers}' is no number") from error
    return options


@pytest.fixture(scope="session")
def k8s_cluster(
    request: pytest.FixtureRequest, k8s_client: "Client", k8s_options: dict[str, Any]
) -> "Iterator[Cluster]":
    """Give a verified cluster to all tests of this process, and remove it at the end.

    It is a clone of the cached cluster of its kind, if there is one.
    """
    with _made(request, k8s_client, k8s_options) as cluster:
        yield cluster


@pytest.fixture
def k8s_clone(
    request: pytest.FixtureRequest, k8s_client: "Client", k8s_options: dict[str, Any]
) -> "Iterator[Cluster]":
    """Give a verified cluster to one test alone, fresh as if just made, and remove it after it."""
    with _made(request, k8s_client, k8s_options) as cluster:
        yield cluster


@contextlib.contextmanager
def _made(
    request: pytest.FixtureRequest, client: "Client", options: dict[str, Any]
) -> "Iterator[Cluster]":
    """Make a cluster for the block, and remove it, also if it was only half made."""
    from bootstrap import Cluster  # noqa: PLC0415 - not before a test asks for it

    config = request.config
    evidence = _value(config, "k8s-evidence")
    if evidence is None and _EVIDENCE not in config.stash:
        factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
        config.stash[_EVIDENCE] = factory.mktemp("k8s-evidence")
    elif evidence is not None:
        config.stash[_EVIDENCE] = config.invocation_params.dir / evidence
    used = request.node.stash.setdefault(_USED, _Used())
    name = _new_name()
    try:
        if snapshot := _value(config, "k8s-from"):
            share_trust = bool(options.get("share_trust"))
            cluster = Cluster.from_snapshot(snapshot, name, share_trust=share_trust, client=client)
        else:
            options = {"keep": config.getoption(_KEEP), **options}
            cluster = Cluster.up(name, cached=True, client=client, **options)
        used.clusters.append(cluster)
        yield cluster
    except BaseException:
        used.failed.add(name)
        raise
    finally:
        used.clusters = [one for one in used.clusters if one.name != name]
        if not (config.getoption(_KEEP) and name in used.failed):
            Cluster(name, client).down()


def _new_name() -> str:
    """Return a name that no cluster has: several processes make theirs at the same time."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return f"pytest-{worker}-{secrets.token_hex(4)}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the evidence of its clusters to the report of a failed test."""
    report = yield
    if report.failed:
        of_session = item.session.stash.get(_USED, _Used())
        is_user = "k8s_cluster" in getattr(item, "fixturenames", ())
        for used in (item.stash.get(_USED, _Used()), *([of_session] if is_user else [])):
            for cluster in used.clusters:
                used.failed.add(cluster.name)
                _attach(cluster, item, report)
    return report


def _attach(cluster: "Cluster", item: pytest.Item, report: pytest.TestReport) -> None:
    test = re.sub(r"[^A-Za-z0-9_.-]+", "-", item.nodeid)
    place = item.config.stash[_EVIDENCE] / f"{test}-{report.when}" / cluster.name
    lines = [f"Cluster '{cluster.name}' was verified before the test.", _save(cluster, place)]
    lines += [_answer(cluster, words) for words in _QUESTIONS]
    if item.config.getoption(_KEEP):
        lines.append(f"The cluster is kept: 'bootstrap down {cluster.name}' removes it.")
    report.sections.append((f"Kubernetes cluster {cluster.name}", "\n".join(lines)))
    found = ("k8s_evidence", str(place))
    item.user_properties.append(found)
    report.user_properties.append(found)


def _save(cluster: "Cluster", place: Path) -> str:
    """Keep the archive of the logs, which the removal of the cluster would remove."""
    from bootstrap.errors import BootstrapError  # noqa: PLC0415 - not before there is a cluster

    target = place / "logs.tar.gz"
    try:
        place.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        cluster.logs(target=target)
    except (BootstrapError, OSError) as error:
        # The test has failed for another reason, which this must not hide.
        return f"Its logs were not saved: {error}"
    return f"Logs: {target}"


def _answer(cluster: "Cluster", words: tuple[str, ...]) -> str:
    from bootstrap.errors import BootstrapError  # noqa: PLC0415 - not before there is a cluster

    try:
        found = cluster.kubectl(*words, timeout_s=_ANSWER_TIMEOUT_S, check=False)
        text = found.stdout or found.stderr
    except BootstrapError as error:
        text = str(error)
    # Objects of the API server may hold whatever a test, or an image, has put there.
    shown = without_control_codes(text).rstrip().splitlines()
    return "\n".join([f"$ kubectl {' '.join(words)}", *shown[:1], *shown[1:][-_SHOWN_LINES:]])


def _log(event: "Event") -> None:
    node = f"{event.node}: " if event.node else ""
    _LOGGER.info("%4.0f s %s %s%s", event.elapsed_s, event.status.value, node, event.detail)


def _value(config: pytest.Config, name: str) -> str | None:
    """Return an option of the command line, or else of the configuration file, or None."""
    value: str | None = config.getoption(f"--{name}") or config.getini(_as_key(name))
    return value or None


def _as_key(name: str) -> str:
    return name.replace("-", "_")
