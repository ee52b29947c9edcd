"""Verification of drawn clusters: 0 false OK, 0 false alarms, no wait without end (G-23)."""

import contextlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from bootstrap.adapters.kubernetes.api import KubernetesClusterApi
from bootstrap.ports import CheckResult
from tests.fakes.api_server import make_ca
from tests.faults.api.cases import ANY, CHECKS, ILL, WELL, Case
from tests.scale import chance, told, trials

OURS = "bootstrap-verify-abcd1234"
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")


def verified(case: Case, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Sequence[CheckResult]:
    told(f"nodes {[node.name for node in case.nodes]}, patience {case.patience}, {case.ill}")
    clock = case.server.clock
    api = KubernetesClusterApi(
        clock=clock,
        sleep=clock.sleep,
        now=lambda: clock.utc() + case.skew,
        random_suffix=lambda: "abcd1234",
        call_timeout_s=case.call_timeout_s / case.patience,
    )
    with case.server.running(), case.decoy.running() if case.decoy else contextlib.nullcontext():
        for name in PROXIES:
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.lower(), raising=False)
        for name, value in case.environment.items():
            monkeypatch.setenv(name, value.format(port=case.decoy.port if case.decoy else 0))
        if case.foreign_ca:
            case.server.ca = make_ca()
        for name, age in case.leftovers.items():
            case.server.add_namespace(name, age=age)
        kubeconfig = case.server.kubeconfig(directory)
        results = api.verify(kubeconfig, case.expected, patience=case.patience)
    for result in results:
        told(f"{result}")
    assert [result.name for result in results] == list(CHECKS)
    assert all(result.evidence and result.evidence.isprintable() for result in results)
    assert case.decoy is None or case.decoy.requests == []
    return results


@pytest.mark.parametrize("trial", range(trials(ci=1, long=20)))
@pytest.mark.parametrize("name", list(WELL))
def test_a_cluster_that_is_well_raises_no_alarm(
    name: str, trial: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G-23, V-04, V-07, P-15."""
    case = Case(dice=chance("api", name, trial))
    WELL[name](case)
    results = verified(case, tmp_path, monkeypatch)
    assert {result.name for result in results if not result.ok} == set()
    gone = {
        name
        for name, found in case.server.namespaces.items()
        if "deletionTimestamp" in found["metadata"]
    }
    old = {name for name, age in case.leftovers.items() if age > timedelta(hours=1)}
    assert gone == {OURS, *old}


@pytest.mark.parametrize("trial", range(trials(ci=1, long=20)))
@pytest.mark.parametrize("name", list(ILL))
def test_a_cluster_that_is_ill_is_never_called_well(
    name: str, trial: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G-23, K-01, N-08, N-16, V-01, V-03, V-04, V-07."""
    case = Case(dice=chance("api", name, trial))
    ILL[name](case)
    results = verified(case, tmp_path, monkeypatch)
    failed = {result.name for result in results if not result.ok}
    assert failed
    assert case.not_ok in (failed, ANY)
    assert case.words in next(result.evidence for result in results if not result.ok)


def test_there_are_at_least_forty_named_scenarios() -> None:
    """G-23."""
    assert len(ILL) >= 40
    assert not set(ILL) & set(WELL)
