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


def any_dice() -> random.Random:
    """Return randomness that BOOTSTRAP_FAULT_SEED, which is printed, repeats."""
    seed = os.environ.get("BOOTSTRAP_FAULT_SEED") or str(secrets.randbelow(1_000_000))
    print(f"BOOTSTRAP_FAULT_SEED={seed}")  # noqa: T201
    return random.Random(seed)  # noqa: S311 - not for secrets


def any_moment() -> tuple[str, float]:
    """Choose a moment and seconds after it."""
    dice = any_dice()
    moment, delay_s = dice.choice(MOMENTS), dice.uniform(0, _LONGEST_S)
    print(f"killed {delay_s:.0f} s after '{moment}'")  # noqa: T201
    return moment, delay_s
