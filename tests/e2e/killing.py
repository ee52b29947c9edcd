"""Moments at which a real `up` is killed, as what it says just before."""

import os
import random
import secrets

#: While a node boots, kubeadm starts etcd, kubeadm writes the cluster's objects, a node joins.
MOMENTS = (
    "Booting the nodes",
    "Start etcd, the API server and the kubelet",
    "Start the rest of the control plane",
    "Join the cluster",
)
_LONGEST_S = 25.0


def any_moment() -> tuple[str, float]:
    """Choose a moment and seconds after it; BOOTSTRAP_FAULT_SEED, which is printed, repeats it."""
    seed = os.environ.get("BOOTSTRAP_FAULT_SEED") or str(secrets.randbelow(1_000_000))
    dice = random.Random(seed)  # noqa: S311 - not for secrets
    moment, delay_s = dice.choice(MOMENTS), dice.uniform(0, _LONGEST_S)
    print(f"BOOTSTRAP_FAULT_SEED={seed}: killed {delay_s:.0f} s after '{moment}'")  # noqa: T201
    return moment, delay_s
