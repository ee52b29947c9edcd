"""Each value of the file: what is taken, and what is said instead."""

from ipaddress import IPv4Network

import pytest

from bootstrap.config.quantities import (
    disk_gib,
    label_key,
    label_value,
    memory_mib,
    service_subnet,
    subnet,
)


@pytest.mark.parametrize(
    ("written", "mib"), [("2GiB", 2048), ("1536MiB", 1536), ("1024GiB", 1024 * 1024)]
)
def test_memory_is_read_with_its_unit(written: str, mib: int) -> None:
    assert memory_mib(written) == mib


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("2Gi", "'2Gi' is not a size; did you mean '2GiB'?"),
        ("2 gb", "'2 gb' is not a size; did you mean '2GiB'?"),
        ("512M", "'512M' is not a size; did you mean '512MiB'?"),
        (2048, "'2048' is not a size; did you mean '2048MiB'?"),
        (4, "'4' is not a size; did you mean '4GiB'?"),
        ("02GiB", "'02GiB' is not a size; did you mean '2GiB'?"),
        ("2TiB", "'2TiB' is not a size; write it like '2GiB' or '1536MiB'"),
        ("0GiB", "'0GiB' is not a size; write it like '2GiB' or '1536MiB'"),
        ("-1GiB", "'-1GiB' is not a size; write it like '2GiB' or '1536MiB'"),
        ("2GiB\n", "'2GiB\\n' is not a size; write it like '2GiB' or '1536MiB'"),
        ("٢GiB", "'٢GiB' is not a size; write it like '2GiB' or '1536MiB'"),
        ("1025GiB", "'1025GiB' is out of range; use at most '1024GiB'"),
        (True, 'true was read as the boolean true; write "true"'),
        (None, "is empty; give it a value or remove the key"),
        (["2GiB"], "is a list or a mapping; write one value"),
    ],
)
def test_memory_that_is_no_size_is_refused_with_what_was_meant(
    written: object, message: str
) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - compared below
        memory_mib(written)
    assert str(caught.value) == message


def test_a_disk_has_gibibytes_and_a_least_size() -> None:
    assert disk_gib("20GiB") == 20
    assert disk_gib("4GiB") == 4
    assert disk_gib("1024GiB") == 1024
    with pytest.raises(ValueError, match="use at least '4GiB'"):
        disk_gib("3GiB")
    # The image's file system grows no further, so the rest would never be there.
    with pytest.raises(ValueError, match="use at most '1024GiB'"):
        disk_gib("1025GiB")
    with pytest.raises(ValueError, match="write it like '20GiB'"):
        disk_gib("20480MiB")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("10.0.0.1/8", "'10.0.0.1/8' is not a network's first address; use '10.0.0.0/8'"),
        ("10.0.0.0", "'10.0.0.0' is not an IPv4 network; write it like '10.0.0.0/16'"),
        ("10.0.0.0/33", "'10.0.0.0/33' is not an IPv4 network; write it like '10.0.0.0/16'"),
        ("10.0.0.256/8", "'10.0.0.256/8' is not an IPv4 network; write it like '10.0.0.0/16'"),
        ("10.0.0.0/255.0.0.0", "'10.0.0.0/255.0.0.0' is not an IPv4 network; "),
        ("fd00::/64", "'fd00::/64' is not an IPv4 network; write it like '10.0.0.0/16'"),
        ("8.8.8.0/24", "'8.8.8.0/24' is not private; use a part of 10.0.0.0/8, "),
        ("127.0.0.0/8", "'127.0.0.0/8' is not private; use a part of 10.0.0.0/8, "),
        ("8.0.0.0/5", "'8.0.0.0/5' is not private; use a part of 10.0.0.0/8, "),
    ],
)
def test_what_is_no_private_network_is_refused(written: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - compared below
        subnet(written)
    assert str(caught.value)[: len(message)] == message


@pytest.mark.parametrize(
    "written", ["10.0.0.0/8", "172.31.0.0/16", "192.168.1.0/24", "100.64.0.0/10"]
)
def test_private_networks_are_taken(written: str) -> None:
    assert subnet(written) == IPv4Network(written)


def test_services_need_a_range_that_the_api_server_takes() -> None:
    assert service_subnet("10.96.0.0/12") == IPv4Network("10.96.0.0/12")
    assert service_subnet("10.96.0.0/28") == IPv4Network("10.96.0.0/28")
    for written in ("10.0.0.0/11", "10.96.0.0/29"):
        with pytest.raises(ValueError, match="use /12 to /28"):
            service_subnet(written)


@pytest.mark.parametrize(
    "key",
    ["a", "disk", "A.b_c-9", "a" * 63, "example.com/a", "node.kubernetes.io/pool",
     "x.kubelet.kubernetes.io/a", "topology.kubernetes.io/zone", "notkubernetes.io/a"],
)  # fmt: skip
def test_label_keys_of_kubernetes_form_are_taken(key: str) -> None:
    assert label_key(key) == key


@pytest.mark.parametrize(
    "key",
    ["", "-a", "a-", "a b", "a" * 64, "/a", "a/", "a/b/c", "Example.com/a", "a..b/c", "a\n",
     "kubernetes.io/hostname", "node-role.kubernetes.io/gpu", "k8s.io/a", "a.k8s.io/b"],
)  # fmt: skip
def test_label_keys_that_a_node_could_not_join_with_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r"label key|may not set"):
        label_key(key)


def test_label_values_are_held_to_kubernetes_rules() -> None:
    assert label_value("") == ""
    assert label_value("a" * 63) == "a" * 63
    for value in ("a" * 64, "-a", "a b", "a/b", "ä", "a\n"):
        with pytest.raises(ValueError, match="is not a label value"):
            label_value(value)
