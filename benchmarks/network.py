"""Measure the cluster network of a running cluster, from pod to pod across two nodes.

    .venv/bin/python benchmarks/network.py NAME

Prints throughput and latency. A number means something only beside one that was taken on the
same host in the same hour.
"""

import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bootstrap.adapters.directories import find_directories
from bootstrap.model.images import CHECK_IMAGE

_BYTES = 48 << 20
_ROUNDS = 300
_PORT = 9999

_SERVER = f"""
import socket
server = socket.create_server(("", {_PORT}))
stream, _ = server.accept()
for _ in range({_ROUNDS}):
    stream.sendall(stream.recv(1))
left = {_BYTES}
while left:
    left -= len(stream.recv(1 << 16))
stream.sendall(b"x")
"""
_CLIENT = f"""
import json, socket, sys, time
stream = socket.create_connection((sys.argv[1], {_PORT}), timeout=60)
stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
rounds = []
for _ in range({_ROUNDS}):
    began = time.perf_counter()
    stream.sendall(b"x")
    stream.recv(1)
    rounds.append(time.perf_counter() - began)
block, began = bytes(1 << 16), time.perf_counter()
for _ in range({_BYTES} >> 16):
    stream.sendall(block)
stream.recv(1)
print(json.dumps([rounds, time.perf_counter() - began]))
"""
_IN_POD = """
for pid in $(ctr -n k8s.io tasks ls -q | xargs -n1 -I{{}} sh -c \
    'ctr -n k8s.io tasks ls | grep {{}}' | tr -s ' ' | cut -d' ' -f2); do
  nsenter -t $pid -n ip -o address | grep -q ' {address}/' || continue
  echo {program} | base64 -d > /run/benchmark.py
  exec nsenter -t $pid -n python3 /run/benchmark.py {argument}
done
exit 3
"""


class Cluster:
    """A cluster that runs, by the tool's own commands."""

    def __init__(self, name: str, kubectl: Path) -> None:
        self._name = name
        self._bootstrap = str(Path(sys.executable).with_name("bootstrap"))
        own = subprocess.check_output([self._bootstrap, "kubeconfig", name], text=True).strip()
        self._kubectl = [str(kubectl), "--kubeconfig", own]

    def kubectl(self, *arguments: str, given: str | None = None) -> str:
        """Run kubectl and return its output."""
        done = subprocess.run(
            [*self._kubectl, *arguments], input=given, text=True, check=True, capture_output=True
        )
        return done.stdout

    def in_pod(self, node: str, address: str, program: str, argument: str = "") -> list[str]:
        """Return the command that runs a Python program in the network of a pod."""
        encoded = base64.b64encode(program.encode()).decode()
        script = _IN_POD.format(address=address, program=encoded, argument=argument)
        shell = base64.b64encode(script.encode()).decode()
        command = f"echo {shell} | base64 -d | sudo sh"
        return [self._bootstrap, "ssh", self._name, node, "--", command]


def main() -> None:
    """Make a pod on each of two nodes, measure between them and remove them."""
    binary = next((find_directories().cache / "artifacts").glob("*/kube"))
    with tempfile.TemporaryDirectory() as directory:
        kubectl = Path(directory) / "kubectl"
        kubectl.symlink_to(binary)
        _measure(Cluster(sys.argv[1], kubectl))


def _measure(cluster: Cluster) -> None:
    nodes = json.loads(cluster.kubectl("get", "nodes", "-o", "json"))["items"][:2]
    names = [node["metadata"]["name"] for node in nodes]
    pods = [_pod(f"benchmark-{index}", node) for index, node in enumerate(names)]
    cluster.kubectl("apply", "-f", "-", given="\n---\n".join(map(json.dumps, pods)))
    try:
        cluster.kubectl(
            "wait", "--for=condition=Ready", "--timeout=300s", "pod/benchmark-0", "pod/benchmark-1"
        )
        found = json.loads(cluster.kubectl("get", "pods", "-o", "json"))["items"]
        addresses = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in found}
        first, second = addresses["benchmark-0"], addresses["benchmark-1"]
        with subprocess.Popen(cluster.in_pod(names[1], second, _SERVER)) as server:
            client = cluster.in_pod(names[0], first, _CLIENT, second)
            answer = _first_answer(client)
            server.wait()
    finally:
        cluster.kubectl("delete", "pod", "benchmark-0", "benchmark-1", "--now")
    rounds, seconds = answer
    print(f"round trip: {statistics.median(rounds) * 1000:.2f} ms (median of {_ROUNDS})")
    print(f"throughput: {_BYTES * 8 / seconds / 1e6:.0f} Mbit/s ({_BYTES >> 20} MiB)")


def _first_answer(command: list[str]) -> tuple[list[float], float]:
    # The server may not listen yet; each attempt takes seconds by itself.
    for _ in range(10):
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode == os.EX_OK:
            rounds, seconds = json.loads(done.stdout)
            return rounds, seconds
    raise SystemExit("the pods did not reach each other")


def _pod(name: str, node: str) -> dict[str, object]:
    container = {"name": "check", "image": CHECK_IMAGE, "imagePullPolicy": "Never"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"nodeName": node, "containers": [container], "terminationGracePeriodSeconds": 0},
    }


if __name__ == "__main__":
    main()
