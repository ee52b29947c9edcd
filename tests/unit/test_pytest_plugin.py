"""The fixtures of the pytest plugin, in tests inside tests, on a world of fakes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap import Cluster
from bootstrap.api import runs
from bootstrap.errors import BootstrapError
from tests.builders import FakeWorld, ports_with_fakes
from tests.unit.api.conftest import composition_of

Run = Callable[..., pytest.RunResult]

TWO_CLONES = """
    names = set()

    def test_one(k8s_clone):
        names.add(k8s_clone.name)
        assert k8s_clone.verify().checks

    def test_two(k8s_clone):
        names.add(k8s_clone.name)
        assert len(names) == 2
"""
FAILING = """
    import pytest

    @pytest.fixture
    def application(k8s_clone):
        return k8s_clone

    def test_it(application):
        assert application is None
"""


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> FakeWorld:
    made = ports_with_fakes()
    monkeypatch.setattr(runs, "Composition", lambda: composition_of(made))
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    return made


@pytest.fixture
def run(pytester: pytest.Pytester, world: FakeWorld) -> Run:
    """Run a file of tests in this process, in whose ``world`` they are."""
    del world

    def call(text: str, *words: str) -> pytest.RunResult:
        pytester.makepyfile(text)
        plugins = ("-p", "bootstrap.pytest_plugin", "-p", "no:cacheprovider")
        return pytester.runpytest_inprocess(*plugins, "-ra", *words, no_reraise_ctrlc=True)

    return call


def made(world: FakeWorld) -> list[str]:
    """Return the names of the clusters, in the order in which they were made."""
    begin, end = "hypervisor.ensure_domain ", "-control-plane"
    return [
        change.removeprefix(begin).removesuffix(end)
        for change in world.journal.changes
        if change.startswith(begin) and change.endswith(end)
    ]


def test_each_test_has_a_clone_of_its_own_which_is_removed(run: Run, world: FakeWorld) -> None:
    run(TWO_CLONES).assert_outcomes(passed=2)
    assert len(set(made(world))) == 2
    assert all(name.startswith("pytest-main-") for name in made(world))
    assert world.hypervisor.domains() == []


def test_clones_come_from_the_cache(run: Run, world: FakeWorld) -> None:
    run(TWO_CLONES).assert_outcomes(passed=2)
    assert len(world.snapshots.list()) == 1
    run(TWO_CLONES).assert_outcomes(passed=2)
    assert len(world.snapshots.list()) == 1


def test_tests_of_a_process_share_the_cluster_of_the_session(run: Run, world: FakeWorld) -> None:
    outcome = run(
        """
        def test_one(k8s_cluster):
            assert k8s_cluster.status()

        def test_two(k8s_cluster, k8s_clone):
            assert k8s_cluster.name != k8s_clone.name
        """
    )
    outcome.assert_outcomes(passed=2)
    assert len(set(made(world))) == 2
    assert world.hypervisor.domains() == []


def test_options_say_what_the_clusters_are(run: Run) -> None:
    text = """
        def test_it(k8s_clone):
            assert len(k8s_clone.nodes()) == 4
    """
    run(text, "--k8s-workers", "3", "--k8s-version", "v1.37.2").assert_outcomes(passed=1)
    run(text, "-o", "k8s_workers=3").assert_outcomes(passed=1)
    run(text, "--k8s-workers", "many").assert_outcomes(errors=1)


def test_a_project_may_say_what_the_clusters_are(run: Run) -> None:
    run(
        """
        import pytest

        @pytest.fixture(scope="session")
        def k8s_options(k8s_options):
            return k8s_options | {"workers": 2}

        def test_it(k8s_cluster):
            assert len(k8s_cluster.nodes()) == 3
        """
    ).assert_outcomes(passed=1)


def test_clones_of_a_snapshot_that_was_prepared(run: Run, world: FakeWorld) -> None:
    Cluster.up("prepared").snapshot("ready")
    run(TWO_CLONES, "--k8s-from", "prepared/ready").assert_outcomes(passed=2)
    assert {domain.mark.cluster.text for domain in world.hypervisor.domains()} == {"prepared"}


def test_a_failed_test_has_the_evidence_in_its_report(
    run: Run, world: FakeWorld, tmp_path: Path
) -> None:
    junit = tmp_path / "junit.xml"
    outcome = run(FAILING, "--k8s-evidence", str(tmp_path / "kept"), f"--junit-xml={junit}")
    outcome.assert_outcomes(failed=1)
    [name] = made(world)
    outcome.stdout.fnmatch_lines(
        [f"*Kubernetes cluster {name}*", "Logs: *", "$ kubectl get pods*", "*No kubectl*"]
    )
    [archive] = world.evidence.archives
    assert archive.is_relative_to(tmp_path / "kept")
    assert archive.parts[-2:] == (name, "logs.tar.gz")
    assert f'name="k8s_evidence" value="{archive.parent}"' in junit.read_text()
    assert world.hypervisor.domains() == []


def test_evidence_that_cannot_be_had_hides_no_failure(run: Run, world: FakeWorld) -> None:
    world.journal.failures["evidence.save"] = BootstrapError("The disk is full.")
    outcome = run(FAILING)
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(["*assert * is None*", "*not saved: The disk is full.*"])


def test_a_test_that_passes_has_no_evidence(run: Run, world: FakeWorld) -> None:
    run(TWO_CLONES).assert_outcomes(passed=2)
    assert not [call for call in world.journal.calls if call.startswith("evidence")]


@pytest.mark.parametrize("fixture", ["k8s_clone", "k8s_cluster"])
def test_the_clusters_of_failed_tests_are_kept_if_asked_for(
    run: Run, world: FakeWorld, fixture: str
) -> None:
    text = FAILING.replace("k8s_clone", fixture) + "\n    def test_well(k8s_clone):\n        pass\n"
    outcome = run(text, "--k8s-keep-failed")
    outcome.assert_outcomes(failed=1, passed=1)
    [kept] = {domain.mark.cluster.text for domain in world.hypervisor.domains()}
    outcome.stdout.fnmatch_lines([f"*'bootstrap down {kept}' removes it.*"])


def test_a_cluster_that_is_not_verified_is_an_error_with_its_evidence(
    run: Run, world: FakeWorld
) -> None:
    world.api.sick_checks.add("dns")
    outcome = run(TWO_CLONES)
    outcome.assert_outcomes(errors=2)
    outcome.stdout.fnmatch_lines(["*FAILED dns*"])
    assert world.hypervisor.domains() == []


def test_a_cluster_that_could_not_be_made_is_kept_too_if_asked_for(
    run: Run, world: FakeWorld
) -> None:
    world.api.sick_checks.add("dns")
    run(FAILING, "--k8s-keep-failed").assert_outcomes(errors=1)
    assert {domain.mark.cluster.text for domain in world.hypervisor.domains()} == set(made(world))


def test_an_interrupted_run_removes_what_it_has_begun(run: Run, world: FakeWorld) -> None:
    world.journal.killed_after = 12
    assert run(TWO_CLONES).ret == pytest.ExitCode.INTERRUPTED
    assert made(world)
    assert world.hypervisor.domains() == []


def test_the_steps_of_a_run_are_logged(run: Run) -> None:
    outcome = run(TWO_CLONES, "--log-cli-level=INFO")
    outcome.stdout.fnmatch_lines(["*started Booting the nodes*"])


def test_without_its_fixtures_nothing_is_made(run: Run, world: FakeWorld) -> None:
    run("def test_it(): pass").assert_outcomes(passed=1)
    assert world.journal.calls == []
