"""Describe what verification makes in the cluster: a namespace, a Service and pods."""

from collections.abc import Mapping

from bootstrap.adapters.kubernetes.documents import Document
from bootstrap.model.images import CHECK_IMAGE

LABEL = "bootstrap.dev/verify"
SERVICE = "check"
PORT = 8080
_HOSTNAME = "kubernetes.io/hostname"
_NOBODY = 65534
_LABELS: Mapping[str, str] = {LABEL: "true"}


def namespace_manifest(name: str) -> Document:
    """Describe the namespace that holds all of it, so that one deletion removes it."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": dict(_LABELS)},
    }


def service_manifest() -> Document:
    """Describe the Service that leads to every check pod."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": SERVICE, "labels": dict(_LABELS)},
        "spec": {"selector": dict(_LABELS), "ports": [{"port": 80, "targetPort": PORT}]},
    }


def pod_manifest(name: str, *, node: str) -> Document:
    """Describe the check pod of one node.

    The scheduler places it: ``spec.nodeName`` would hide a dead scheduler (V-07).
    """
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": dict(_LABELS)},
        "spec": {
            "affinity": {"nodeAffinity": _only_on(node)},
            "tolerations": [{"operator": "Exists"}],
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _NOBODY,
                "runAsGroup": _NOBODY,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_container()],
        },
    }


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
