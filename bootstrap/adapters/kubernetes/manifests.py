"""Describe the objects that we make: those of verification, and join tokens."""

import re
from datetime import datetime
from typing import Any

from bootstrap.adapters.kubernetes.client import Document
from bootstrap.errors import BootstrapError
from bootstrap.model.images import CHECK_IMAGE

LABEL = "bootstrap.dev/verify"
SERVICE = "check"
PORT = 8080
_HOSTNAME = "kubernetes.io/hostname"
_UNPRIVILEGED = 65534
_LABELS = {LABEL: "true"}
_TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")


def namespace_manifest(name: str) -> Document:
    """Describe the namespace of all other objects, so that one deletion removes them."""
    return _object("Namespace", name)


def service_manifest() -> Document:
    """Describe the Service that leads to every check pod."""
    ports = [{"port": 80, "targetPort": PORT}]
    return _object("Service", SERVICE) | {"spec": {"selector": _LABELS, "ports": ports}}


def pod_manifest(name: str, *, node: str) -> Document:
    """Describe the check pod of one node.

    The scheduler places it: ``spec.nodeName`` would hide a dead scheduler (V-07).
    """
    return _object("Pod", name) | {
        "spec": {
            "affinity": {"nodeAffinity": _only_on(node)},
            "tolerations": [{"operator": "Exists"}],
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _UNPRIVILEGED,
                "runAsGroup": _UNPRIVILEGED,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_container()],
        },
    }


def _object(kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": _LABELS}}


def _only_on(node: str) -> Document:
    term = {"matchExpressions": [{"key": _HOSTNAME, "operator": "In", "values": [node]}]}
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}


def _container() -> Document:
    return {
        "name": "check",
        "image": CHECK_IMAGE,
        # It is part of the node image; no registry has it.
        "imagePullPolicy": "Never",
        "env": [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "ports": [{"containerPort": PORT}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def join_token_secret(token: str, *, expires: datetime) -> Document:
    """Describe the Secret of a join token.

    :raises BootstrapError: if it is not a join token; the text itself is not shown.
    """
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        raise BootstrapError(
            "Could not use a join token that is not 6 of a-z and 0-9, a dot, and 16 more.",
            hint="kubeadm token generate",
        )
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "bootstrap.kubernetes.io/token",
        "metadata": {"name": join_token_name(token), "namespace": "kube-system"},
        "stringData": {
            "token-id": parts[1],
            "token-secret": parts[2],
            "expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "usage-bootstrap-authentication": "true",
            "usage-bootstrap-signing": "true",
            "auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token",
        },
    }


def join_token_name(token: str) -> str:
    """Name the Secret of a join token; it holds the token's public half alone."""
    return f"bootstrap-token-{token.partition('.')[0]}"
