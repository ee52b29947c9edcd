"""Workers with an older kubelet than the control plane, on fakes with memory."""

from dataclasses import replace

import pytest

from bootstrap.errors import NotFoundError, UsageError, VerifyError
from bootstrap.model.names import ClusterName
from bootstrap.model.snapshot import SnapshotId
from bootstrap.model.spec import ClusterSpec, NodeRole
from bootstrap.workflow.caching import cached_snapshot, up_cached
from bootstrap.workflow.down import down
from bootstrap.workflow.images import build_image, image_source, prune_images
from bootstrap.workflow.listing import list_clusters
from bootstrap.workflow.node_changes import replace_node
from bootstrap.workflow.preview import preview
from bootstrap.workflow.restoring import clone, restore
from bootstrap.workflow.snapshots import SaveOptions, save
from bootstrap.workflow.up import UpResult, up
from bootstrap.workflow.verification import verify
from tests.builders import FakeWorld, a_cluster_spec, a_group, options

NEWEST, OLDER, OLDEST = "v1.37.2", "v1.36.3", "v1.35.4"
DEMO = ClusterName("demo")
READY = SnapshotId(DEMO, "ready")


def spec_with(*kubelets: str | None, version: str = NEWEST, name: str = "demo") -> ClusterSpec:
    """Return a control plane and a worker for each of the kubelets."""
    workers = [a_group(NodeRole.WORKER, kubelet_version=kubelet) for kubelet in kubelets]
    return replace(
        a_cluster_spec(name),
        kubernetes_version=version,
        node_groups=(a_group(NodeRole.CONTROL_PLANE), *workers),
    )


def make(world: FakeWorld, spec: ClusterSpec) -> UpResult:
    return up(spec, world.ports, options())


def add(world: FakeWorld, kubelet: str | None = None) -> UpResult:
    """Add a worker as `node add` does."""
    chosen = frozenset({"kubeletVersion"} if kubelet else ())
    return up(spec_with(kubelet), world.ports, options(chosen=chosen, keep=True, adding=1))


def facts(world: FakeWorld, name: str, cluster: ClusterName = DEMO) -> tuple[str, str]:
    """Return the kubelet of a node and the kubelet in its image, as far as its mark tells."""
    domains = world.hypervisor.domains(cluster)
    (domain,) = (one for one in domains if one.name == name)
    return domain.kubelet_version, world.images.built[domain.mark.facts["image"]].kubelet_version


def test_each_node_gets_the_image_with_its_kubelet(world: FakeWorld) -> None:
    plan = make(world, spec_with(OLDER, OLDEST, None)).plan
    kubelets = {node.name: node.kubelet_version for node in plan.nodes}
    wanted = {"control-plane": NEWEST, "worker": OLDER, "worker2": OLDEST, "worker3": NEWEST}
    assert kubelets == wanted
    for name, version in wanted.items():
        assert facts(world, name) == (version, version)
    assert {image.kubernetes_version for image in world.images.built.values()} == {NEWEST}
    assert [call for call in world.journal.calls if call.startswith("images.ensure")] == [
        f"images.ensure {NEWEST}",
        f"images.ensure {NEWEST} with {OLDER}",
        f"images.ensure {NEWEST} with {OLDEST}",
    ]


def test_every_image_of_a_new_cluster_is_read(world: FakeWorld) -> None:
    make(world, spec_with(OLDER))
    checked = [call for call in world.journal.calls if call.startswith("images.check")]
    assert len(checked) == 2


def test_a_second_run_changes_nothing_and_builds_nothing(world: FakeWorld) -> None:
    make(world, spec_with(OLDER))
    world.journal.clear()
    assert make(world, spec_with(OLDER)).changed == 0
    by_name = up(a_cluster_spec(), world.ports, options(chosen=frozenset()))
    assert by_name.changed == 0
    assert [node.kubelet_version for node in by_name.plan.nodes] == [NEWEST, OLDER]
    assert world.journal.changes == []


def test_existing_nodes_keep_their_images_when_others_would_be_built(world: FakeWorld) -> None:
    make(world, spec_with(OLDER))
    before = {name: facts(world, name) for name in ("control-plane", "worker")}
    keys = {one.mark.facts["image"] for one in world.hypervisor.domains(DEMO)}
    world.images.key = "fedcba9876543210"
    add(world)
    assert {name: facts(world, name) for name in before} == before
    assert {one.mark.facts["image"] for one in world.hypervisor.domains(DEMO)} == keys


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (spec_with(OLDER), f"worker: kubeletVersion is {NEWEST}, asked for is {OLDER}"),
        (
            spec_with(None, version=OLDER),
            f"control-plane: kubernetesVersion is {NEWEST}, asked for is {OLDER}",
        ),
    ],
)
def test_another_version_of_nodes_that_exist_is_refused(
    world: FakeWorld, other: ClusterSpec, words: str
) -> None:
    make(world, spec_with(None))
    world.journal.clear()
    with pytest.raises(UsageError) as caught:
        make(world, other)
    assert words in caught.value.details
    assert world.journal.changes == []


def test_an_older_control_plane_is_refused_as_a_change_and_not_for_its_kubelets(
    world: FakeWorld,
) -> None:
    make(world, spec_with(OLDER))
    chosen = frozenset({"kubernetesVersion"})
    with pytest.raises(UsageError, match="cannot be changed") as caught:
        up(spec_with(None, version=OLDEST), world.ports, options(chosen=chosen))
    assert f"kubernetesVersion is {NEWEST}, asked for is {OLDEST}" in caught.value.details


def test_the_image_of_a_worker_with_a_new_kubelet_is_read(world: FakeWorld) -> None:
    make(world, spec_with(None))
    world.journal.clear()
    add(world, OLDER)
    key = world.hypervisor.domains(DEMO)[-1].mark.facts["image"]
    assert [one for one in world.journal.calls if "images.check" in one] == [f"images.check {key}"]


def test_a_file_without_the_version_of_an_older_worker_is_refused(world: FakeWorld) -> None:
    make(world, spec_with(OLDER))
    with pytest.raises(UsageError) as caught:
        make(world, spec_with(None))
    assert f"worker: kubeletVersion is {OLDER}, asked for is {NEWEST}" in caught.value.details


def test_a_worker_is_added_with_the_kubelet_of_the_last_one_or_another(world: FakeWorld) -> None:
    make(world, spec_with(OLDER))
    add(world)
    add(world, OLDEST)
    kubelets = [facts(world, name)[0] for name in ("worker", "worker2", "worker3")]
    assert kubelets == [OLDER, OLDER, OLDEST]


def test_a_replaced_worker_keeps_its_kubelet(world: FakeWorld) -> None:
    make(world, spec_with(OLDER))
    replace_node(a_cluster_spec(), "worker", world.ports, options(keep=True))
    assert facts(world, "worker") == (OLDER, OLDER)


@pytest.mark.parametrize(
    ("version", "kubelet", "reason"),
    [
        (OLDER, NEWEST, "newer"),
        (NEWEST, "v1.37.3", "newer"),
        (NEWEST, "v1.33.9", "more than 3 minors older"),
    ],
)
def test_what_the_policy_forbids_is_refused_and_nothing_is_changed(
    world: FakeWorld, version: str, kubelet: str, reason: str
) -> None:
    spec = spec_with(kubelet, version=version)
    for run in (
        lambda: make(world, spec),
        lambda: preview(spec, world.ports, chosen=None),
        lambda: up_cached(spec, world.ports.cluster(DEMO), options(), share_trust=False),
        lambda: cached_snapshot(spec, world.ports.cluster(DEMO)),
    ):
        with pytest.raises(UsageError) as caught:
            run()
        assert f"kubelet {kubelet} is {reason}" in caught.value.details
        assert caught.value.exit_code == 2
    assert world.journal.changes == []


def test_the_version_of_an_existing_cluster_counts_when_a_worker_is_added(
    world: FakeWorld,
) -> None:
    make(world, spec_with(None, version=OLDER))
    world.journal.clear()
    with pytest.raises(UsageError, match="cannot have workers") as caught:
        add(world, NEWEST)
    assert f"kubelet {NEWEST} is newer than the control plane, {OLDER}" in caught.value.details
    assert world.journal.changes == []


def test_a_kubelet_that_is_not_the_planned_one_is_a_verdict(world: FakeWorld) -> None:
    make(world, spec_with(OLDER))
    assert not verify(DEMO, world.ports).failed
    world.api.other_kubelets["worker"] = NEWEST
    assert [check.name for check in verify(DEMO, world.ports).failed] == ["nodes"]
    with pytest.raises(VerifyError):
        make(world, spec_with(OLDER))


def test_a_snapshot_comes_back_with_each_nodes_image(world: FakeWorld) -> None:
    make(world, spec_with(OLDER))
    saved = save(a_cluster_spec(), READY, world.ports, SaveOptions()).snapshot
    images = {image.key: image.sha256 for image in world.images.built.values()}
    assert saved.images == images
    twin = ClusterName("twin")
    clone(a_cluster_spec("twin"), READY, world.ports.cluster(twin), share_trust=False)
    assert facts(world, "worker", twin) == (OLDER, OLDER)
    down(DEMO, world.ports)
    down(twin, world.ports)
    assert prune_images(world.ports) == []
    restore(a_cluster_spec(), READY, world.ports)
    assert facts(world, "control-plane") == (NEWEST, NEWEST)
    assert facts(world, "worker") == (OLDER, OLDER)


def test_a_snapshot_without_one_of_its_images_is_refused_by_its_key(world: FakeWorld) -> None:
    make(world, spec_with(OLDER))
    save(a_cluster_spec(), READY, world.ports, SaveOptions())
    (older,) = (one.key for one in world.images.built.values() if one.kubelet_version == OLDER)
    del world.images.built[older]
    with pytest.raises(Exception, match="cannot be restored here") as caught:
        restore(a_cluster_spec(), READY, world.ports)
    assert f"its node image '{older}' is gone" in str(getattr(caught.value, "details", ""))


def test_a_cached_cluster_is_of_its_kubelets(world: FakeWorld) -> None:
    def cached(spec: ClusterSpec) -> bool:
        ports = world.ports.cluster(spec.name)
        return up_cached(spec, ports, options(), share_trust=False).is_clone

    assert not cached(spec_with(OLDER, name="a"))
    assert not cached(spec_with(None, name="b"))
    assert cached(spec_with(OLDER, name="c"))
    # Said or not, it is the same cluster.
    assert cached(spec_with(NEWEST, name="d"))


def test_the_key_of_a_cached_cluster_needs_every_image(world: FakeWorld) -> None:
    ports = world.ports.cluster(DEMO)
    ports.images.ensure(NEWEST)
    with pytest.raises(NotFoundError) as caught:
        cached_snapshot(spec_with(OLDER), ports)
    hint = f"bootstrap image build --kubernetes-version {NEWEST} --kubelet-version {OLDER} "
    assert caught.value.hint == f"{hint}--source auto"


def test_clusters_are_listed_with_their_kubelets(world: FakeWorld) -> None:
    make(world, spec_with(OLDER, OLDER))
    (listed,) = list_clusters(world.ports)
    assert listed.kubelet_versions == [NEWEST, OLDER]


def test_an_image_is_built_ahead_with_its_kubelet(world: FakeWorld) -> None:
    source = a_cluster_spec().source
    built = build_image(NEWEST, world.ports, source=source, kubelet_version=OLDER, refresh=False)
    assert (built.kubernetes_version, built.kubelet_version) == (NEWEST, OLDER)
    key = image_source(NEWEST, world.ports, source=source, kubelet_version=OLDER).key
    assert key != image_source(NEWEST, world.ports, source=source).key


@pytest.mark.parametrize(
    ("version", "kubelet", "words"),
    [
        (OLDER, NEWEST, "newer than the control plane"),
        (NEWEST, "v1.1.0", "is not a supported version"),
        ("latest", OLDER, "is not a supported version"),
    ],
)
def test_an_image_that_no_cluster_could_use_is_refused(
    world: FakeWorld, version: str, kubelet: str, words: str
) -> None:
    source = a_cluster_spec().source
    with pytest.raises(UsageError, match=words):
        build_image(version, world.ports, source=source, kubelet_version=kubelet, refresh=False)
    assert world.journal.changes == []
