"""What a user runs in a cluster: container images of their own, deployments, services."""

import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bootstrap.adapters.artifacts.layers import write_layer
from bootstrap.adapters.artifacts.oci import Image, write_archive


def image_archive(name: str, program: Path) -> bytes:
    """Return an OCI archive of an image that no other image is like: it serves ``/name``."""
    with tempfile.TemporaryDirectory() as place:
        data = Path(place) / "data"
        data.write_bytes(secrets.token_bytes(1 << 20))
        layer = write_layer(Path(place) / "layer.tar", {"check": program, "data": data}, {})
        archive = Path(place) / "app.tar"
        image = Image(name=name, layers=(layer,), entrypoint=("/check",))
        write_archive(archive, [image], architecture="amd64")
        return archive.read_bytes()


def deployment(name: str, image: str, *, replicas: int) -> list[Mapping[str, object]]:
    """Return a deployment with one pod a node, of an image that is there, and its service."""
    labels = {"app": name}
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": labels},
    }
    pod = {
        "containers": [{"name": name, "image": image, "imagePullPolicy": "Never"}],
        "tolerations": [{"operator": "Exists"}],
        "topologySpreadConstraints": [spread],
        "terminationGracePeriodSeconds": 0,
    }
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
        },
    ]
