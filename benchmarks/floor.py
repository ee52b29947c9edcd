"""The same cluster without the tool: QEMU by hand, ssh and kubeadm by shell.

It gets the files, the image and the order of things for free from a plan, so that only the
way of doing it differs: no libvirt, no Ansible, no locks, no verification but "all Ready".
"""

import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bootstrap.adapters.libvirt.cables import backend_arguments, cable_end
from bootstrap.adapters.libvirt.switch import switch_arguments
from bootstrap.adapters.trust.cluster import ClusterTrust
from bootstrap.adapters.trust.store import TrustStore
from bootstrap.adapters.volumes.seed import seed_image
from bootstrap.model.cluster import NodeImage
from bootstrap.model.network import UPLINK_ADDRESS
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.planning.archive import archive
from bootstrap.planning.node_files import INIT_CONFIG, join_config, node_files, seed_files

_KERNEL_LINE = (
    "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet random.trust_cpu=on "
    "mitigations=off systemd.show_status=0 systemd.setenv=GOMAXPROCS=1"
)
_FIRST = (
    "preflight,control-plane/controller-manager,control-plane/scheduler,wait-control-plane,"
    "upload-config,upload-certs,mark-control-plane,bootstrap-token,kubelet-finalize,addon,"
    "show-join-command"
)
_SECOND = "preflight,certs,kubeconfig,etcd,kubelet-start,show-join-command"


class Floor:
    """Brings the planned cluster up by hand and takes the seconds of each phase."""

    def __init__(self, plan: ClusterPlan, image: NodeImage, directory: Path) -> None:
        self._plan = plan
        self._image = image
        self._directory = directory
        self._trust = ClusterTrust(TrustStore(directory / "trust"))
        self._key = directory / "key"
        self._guests: list[subprocess.Popen[bytes]] = []
        self.seconds: dict[str, float] = {}

    def run(self) -> None:
        """Bring the cluster up; :meth:`stop` must be called in any case."""
        key = TrustStore(self._directory / "trust")
        key.ensure_client_key()
        self._key = key.client_key_file
        first = self._plan.initial_control_plane
        self._plan.switch.directory.mkdir(parents=True)
        quiet = ["-machine", "pc", "-m", "16", "-nodefaults", "-display", "none"]
        switch = ["qemu-system-x86_64", *quiet, *switch_arguments(self._plan.switch)]
        self._guests.append(subprocess.Popen(switch))
        self._phase("boot control plane", lambda: self._boot(first))
        self._phase("init", lambda: self._init(first))
        for worker in self._plan.workers:
            self._phase("boot worker", partial(self._boot, worker))
            self._phase("join", partial(self._join, first, worker))
        self._phase("all ready", lambda: self._wait_ready(first))

    def stop(self) -> None:
        """Kill the guests."""
        for guest in self._guests:
            guest.kill()
            guest.wait()

    def _phase(self, name: str, action: Callable[[], None]) -> None:
        began = time.monotonic()
        action()
        self.seconds[name] = self.seconds.get(name, 0) + time.monotonic() - began

    def _boot(self, node: NodePlan) -> None:
        disk, seed = self._directory / f"{node.name}.qcow2", self._directory / f"{node.name}.iso"
        create = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw"]
        size = f"{node.disk_gib}G"
        subprocess.run([*create, "-b", self._image.disk, disk, size], check=True)
        seed.write_bytes(seed_image(seed_files(node, self._trust.node_keys(node.name))))
        self._guests.append(subprocess.Popen(self._qemu(node, disk, seed)))
        while self._ssh(node, "test -e /run/cloud-init/result.json", check=False):
            time.sleep(2)
        data = archive(node_files(self._plan, node, self._trust.certificates()))
        self._ssh(node, "sudo tar -x -C / --no-same-owner", stdin=data)
        self._ssh(node, "sudo networkctl reload && sudo nft -f /etc/nftables.conf")

    def _init(self, node: NodePlan) -> None:
        kubeadm = f"sudo kubeadm init --config {INIT_CONFIG} --skip-phases"
        self._ssh(node, f"{kubeadm}={_FIRST}")
        ask = "sudo kubectl --kubeconfig /etc/kubernetes/super-admin.conf get --raw /readyz"
        self._ssh(node, f"until {ask} --request-timeout=30s; do sleep 5; done")
        self._ssh(node, f"{kubeadm}={_SECOND}")

    def _join(self, first: NodePlan, worker: NodePlan) -> None:
        token = self._trust.new_join_token()
        # The floor need not hide its token.
        self._ssh(first, f"sudo kubeadm token create {token} --ttl 1h")
        ca_hash = self._trust.authority_hash()
        config = join_config(self._plan, worker, token=token, ca_hash=ca_hash)
        self._ssh(worker, "sudo tee /run/join.yaml", stdin=config.encode())
        self._ssh(worker, "sudo kubeadm join --config /run/join.yaml")

    def _wait_ready(self, first: NodePlan) -> None:
        kubectl = "sudo kubectl --kubeconfig /etc/kubernetes/admin.conf"
        self._ssh(first, f"{kubectl} wait --for=condition=Ready node --all --timeout=1200s")
        rollout = "rollout status deployment/coredns --timeout=1200s"
        self._ssh(first, f"{kubectl} -n kube-system {rollout}")

    def _ssh(self, node: NodePlan, command: str, *, stdin: bytes = b"", check: bool = True) -> int:
        options = ["StrictHostKeyChecking=accept-new", "UserKnownHostsFile=/dev/null"]
        options += ["BatchMode=yes", "ConnectTimeout=10", "LogLevel=ERROR"]
        words = [word for option in options for word in ("-o", option)]
        argv = ["ssh", "-F", "/dev/null", *words, "-i", str(self._key), "-p", str(node.ssh_port)]
        done = subprocess.run(
            [*argv, "node@127.0.0.1", command],
            input=stdin,
            stdout=subprocess.DEVNULL,
            stderr=None if check else subprocess.DEVNULL,
            check=check,
        )
        return done.returncode

    def _qemu(self, node: NodePlan, disk: Path, seed: Path) -> list[str]:
        forwards = f"hostfwd=tcp:127.0.0.1:{node.ssh_port}-{UPLINK_ADDRESS}:22"
        words = ["qemu-system-x86_64", "-name", node.name, "-nodefaults", "-display", "none"]
        words += ["-accel", "tcg,thread=multi,tb-size=512", "-machine", "pc"]
        words += ["-cpu", "Nehalem,-cx16,+aes,+pclmulqdq", "-smp", str(node.cpus)]
        words += ["-m", str(node.memory_mib), "-kernel", str(self._image.kernel)]
        words += ["-initrd", str(self._image.initrd), "-append", _KERNEL_LINE]
        words += ["-drive", f"file={disk},if=virtio,cache=unsafe,discard=unmap"]
        words += ["-drive", f"file={seed},if=virtio,format=raw,readonly=on"]
        words += ["-device", "virtio-rng-pci", "-serial", f"file:{disk}.console"]
        words += ["-netdev", f"user,id=uplink,{forwards}"]
        words += ["-device", f"virtio-net-pci,netdev=uplink,mac={node.uplink_mac}"]
        ends = cable_end("cluster", local=node.cable.node_end, remote=node.cable.switch_end)
        words += backend_arguments([ends])
        words += ["-device", f"virtio-net-pci,netdev=cluster,mac={node.cluster_mac}"]
        return words
