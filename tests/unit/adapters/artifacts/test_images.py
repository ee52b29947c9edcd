"""Every image that kubeadm asks for is composed of what was built, or refused."""

from pathlib import Path

import pytest

from bootstrap.adapters.artifacts.images import image_for
from bootstrap.adapters.artifacts.layers import Layer
from bootstrap.errors import BootstrapError
from bootstrap.model.images import CHECK_IMAGE


def _layer(name: str) -> Layer:
    return Layer(path=Path(name), sha256=name, size_bytes=1)


_LAYERS = {name: _layer(name) for name in ("kube", "etcd", "coredns", "node")}
_BASE = _layer("base")


@pytest.mark.parametrize(
    ("name", "layers", "entrypoint"),
    [
        ("registry.example/kube-apiserver:v1.37.2", ["kube"], ()),
        ("registry.example/kube-controller-manager:v1.37.2", ["kube"], ()),
        ("registry.example/kube-scheduler:v1.37.2", ["kube"], ()),
        ("registry.example/kube-proxy:v1.37.2", ["base", "kube"], ()),
        ("registry.example:5000/coredns/coredns:v1.14.6", ["coredns"], ("/coredns",)),
        ("registry.example/pause:3.10.2", ["node"], ("/pause",)),
        ("registry.example/etcd:3.7.0-0", ["etcd"], ()),
        (CHECK_IMAGE, ["node"], ("/check",)),
    ],
)
def test_an_image_has_the_layers_of_its_program(
    name: str, layers: list[str], entrypoint: tuple[str, ...]
) -> None:
    image = image_for(name, _LAYERS, _BASE)
    assert [layer.sha256 for layer in image.layers] == layers
    assert (image.name, image.entrypoint) == (name, entrypoint)


@pytest.mark.parametrize("name", ["registry.example/kube-new:v1", "registry.example/a/b", ""])
def test_an_unknown_image_is_an_error_that_names_it(name: str) -> None:
    with pytest.raises(BootstrapError) as caught:
        image_for(name, _LAYERS, _BASE)
    assert f"'{name}'" in caught.value.message
