"""G-05, SEC-27: no command changes an object of another owner."""

import os
import tempfile
import uuid
from contextlib import ExitStack
from pathlib import Path

from click.testing import Result
from hypothesis import seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bootstrap.model.names import SWITCH, ClusterName, domain_name, node_name
from tests import scale
from tests.canaries import CANARIES
from tests.faults.ownership.world import HostWorld, host_world, raw

CLUSTERS = ("demo", "demo-worker")
MOST_WORKERS = 3
#: Every file of ours is synced, which a disk does slowly.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
#: Ours exactly, with ours as prefix, and ours as suffix.


def domains_of(cluster: str, *, workers: int) -> list[str]:
    """Name the domains of a cluster as libvirt has them."""
    nodes = ["control-plane", SWITCH, *(node_name("worker", index) for index in range(workers))]
    return [domain_name(ClusterName(cluster), node) for node in nodes]


NODES = tuple(name for cluster in CLUSTERS for name in domains_of(cluster, workers=MOST_WORKERS))
DOMAINS = (*NODES, *CLUSTERS, "demo-worker-db", "demo-workers", "my-demo-worker", "demo-control")
DIRECTORIES = (*CLUSTERS, "demo (old)", "demo-2", "demo.bak", "Demo")
clusters, workers = st.sampled_from(CLUSTERS), st.integers(0, MOST_WORKERS)


class Inventory(RuleBasedStateMachine):
    """Others make and we are called, in any order."""

    def __init__(self) -> None:
        super().__init__()
        CANARIES.clear()
        self._stack = ExitStack()
        temporary = tempfile.TemporaryDirectory(prefix="world-", dir=MEMORY)
        place = Path(self._stack.enter_context(temporary))
        self.world: HostWorld = self._stack.enter_context(host_world(place))
        self.before: dict[str, object] = {}
        #: Our clusters that exist, and how many workers each has.
        self.made: dict[str, int] = {}
        #: Those whose growth was refused half-way: a domain may never have joined.
        self.half_made: set[str] = set()

    @initialize()
    def first_call(self) -> None:
        """An install has an id from its first call on."""
        self.finish(self.world.run("list"), 0)

    def teardown(self) -> None:
        leaks = CANARIES.leaks([self.world.place])
        CANARIES.clear()
        self._stack.close()
        assert leaks == []

    # Others.

    @rule(
        name=st.sampled_from(DOMAINS),
        mark=st.sampled_from(["none", "other", "broken", "clone"]),
        running=st.booleans(),
        takes_uuid=st.booleans(),
    )
    def another_defines_a_domain(
        self, name: str, mark: str, *, running: bool, takes_uuid: bool
    ) -> None:
        if f"domain {name}" in self.before or name in self.world.ours():
            return
        unique = uuid.uuid5(uuid.NAMESPACE_OID, name)
        if takes_uuid and mark != "clone":
            unique = self.world.identity("demo").uuid_of("domain", "worker2")
            if str(unique) in str(self.before) or self.made.get("demo", 0) > 1:
                return
        self.world.define_foreign(name, mark=mark, unique=unique, running=running)
        self.look()

    @rule(name=st.sampled_from(["demo", "bootstrap-demo", "cluster0"]), active=st.booleans())
    def another_defines_a_network(self, name: str, *, active: bool) -> None:
        if f"network {name}" not in self.before:
            text = f"<network><name>{name}</name><bridge name='br-{name}'/></network>"
            network = raw(self.world.connection).networkDefineXML(text)
            if active:
                network.create()
            self.look()

    @rule(pool=st.sampled_from(["demo", "bootstrap"]), name=st.sampled_from(["root.qcow2", "demo"]))
    def another_makes_a_volume(self, pool: str, name: str) -> None:
        libvirts = raw(self.world.connection)
        if f"pool {pool}" in self.before:
            return
        target = self.world.directories.volumes / f"demo-{pool}"
        text = f"<pool type='dir'><name>{pool}</name><target><path>{target}</path></target></pool>"
        made = libvirts.storagePoolDefineXML(text)
        made.create()
        made.createXML(f"<volume><name>{name}</name><capacity>4096</capacity></volume>")
        self.look()

    @rule(
        name=st.sampled_from(DIRECTORIES),
        kind=st.sampled_from(["plain", "other", "broken", "link"]),
        is_state=st.booleans(),
    )
    def another_makes_a_directory(self, name: str, kind: str, *, is_state: bool) -> None:
        directories = self.world.directories
        directory = (directories.state if is_state else directories.volumes) / name
        taken = directory.exists() or (self.world.place / "elsewhere" / name).exists()
        if not taken:
            self.world.make_foreign_directory(directory, kind)
            self.look()

    @rule(
        name=st.sampled_from(["bootstrap-demo", "bootstrap-demo-2", "demo", "prod"]),
        section=st.sampled_from(["clusters", "contexts", "users"]),
    )
    def another_adds_a_kubeconfig_entry(self, name: str, section: str) -> None:
        if name != "bootstrap-demo" or "demo" not in self.made:
            self.world.add_foreign_entry(name, section)
            self.look()

    # We.

    @rule(name=clusters, count=workers)
    def up(self, name: str, count: int) -> None:
        had = self.made.get(name)
        if had is not None and count < had:
            self.finish(self.world.run("up", name, "--workers", str(count)), 2)
            return
        taken = self.taken(name, count)
        result = self.world.run("up", name, "--workers", str(count))
        self.finish(result, 7 if taken else 0)
        if not taken:
            self.made[name] = count
            self.half_made.discard(name)
        elif had is not None:
            self.half_made.add(name)
            self.made[name] = self.workers_of(name)
        else:
            assert any(word in result.stderr for word in taken), (taken, result.stderr)
            assert " owner: " in result.stderr or "Domain" not in result.stderr

    @precondition(lambda self: any(self.made.values()))
    @rule()
    def remove_node(self) -> None:
        """The last worker goes, and the rest is verified."""
        name = min(name for name, count in self.made.items() if count)
        worker = node_name("worker", self.made[name] - 1)
        result = self.world.run("node", "remove", name, worker)
        is_sick = name in self.half_made and result.exit_code == 8
        self.finish(result, 8 if is_sick else 0)
        self.made[name] -= 1

    @rule(name=clusters)
    def down(self, name: str) -> None:
        directory = self.world.directories.volumes / name
        state = self.world.directories.cluster_state(ClusterName(name))
        foreign = {directory, state} & set(self.world.foreign_paths)
        result = self.world.run("down", name)
        self.finish(result, 7 if any(not path.is_symlink() for path in foreign) else None)
        self.made.pop(name, None)

    @rule()
    def down_all(self) -> None:
        self.finish(self.world.run("down", "--all"), None)
        self.made.clear()

    @rule(name=clusters)
    def status(self, name: str) -> None:
        self.finish(self.world.run("status", name), 0 if name in self.made else 6)

    @rule()
    def list_clusters(self) -> None:
        result = self.world.run("list", "-o", "name")
        self.finish(result, 0)
        assert result.stdout.split() == sorted(self.made)

    @rule(name=clusters)
    def plan(self, name: str) -> None:
        self.finish(self.world.run("plan", name), 0)

    @rule(name=clusters, flag=st.sampled_from(["--print", "--merge", "--use"]))
    def kubeconfig(self, name: str, flag: str) -> None:
        has_one = name in self.made
        result = self.world.run("kubeconfig", name, flag)
        CANARIES.shown.clear()  # it prints the key on purpose
        self.finish(result, 0 if has_one and not self.entries_taken(name) else None)

    @precondition(lambda self: self.made)
    @rule()
    def logs(self) -> None:
        self.finish(self.world.run("logs", min(self.made)), 0)

    # What must hold.

    @invariant()
    def theirs_is_as_it_was(self) -> None:
        now = self.world.foreign()
        assert now == self.before

    @invariant()
    def ours_is_what_was_asked_for(self) -> None:
        expected = {
            domain
            for name, count in self.made.items()
            for domain in domains_of(name, workers=count)
        }
        assert self.world.ours() == expected

    def look(self) -> None:
        self.before = self.world.foreign()

    def finish(self, result: Result, exit_code: int | None) -> None:
        assert "Traceback" not in result.stderr
        if not self.before:
            self.look()
        allowed = {0, 7, 9} if exit_code is None else {exit_code}
        assert result.exit_code in allowed, result.stderr

    def workers_of(self, name: str) -> int:
        ours = self.world.ours()
        return len(ours & set(domains_of(name, workers=MOST_WORKERS)[2:]))

    def entries_taken(self, name: str) -> bool:
        return f"bootstrap-{name}" in str(self.before["kubeconfig"]).replace("bootstrap-demo-2", "")

    def taken(self, name: str, count: int) -> list[str]:
        """Name what stands in the way of a cluster of that size."""
        had = self.made.get(name)
        known = [] if had is None else domains_of(name, workers=had)
        nodes = [one for one in domains_of(name, workers=count) if one not in known]
        found = [node for node in nodes if f"domain {node}" in self.before]
        unique = str(self.world.identity(name).uuid_of("domain", "worker2"))
        if f"{name}-worker2" in nodes and unique in str(self.before):
            found.append("UUID")
        places = {self.world.directories.volumes / name, self.world.directories.state / name}
        found += [str(place) for place in places & set(self.world.foreign_paths)]
        if self.entries_taken(name):
            found.append(f"bootstrap-{name}")
        return found


Inventory.TestCase.settings = scale.tried(ci=200, long=10_000, stateful_step_count=12)
TestForeignInventories = seed(scale.SEED)(Inventory.TestCase)
