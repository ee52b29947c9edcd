"""Each type of value: what is accepted, and the message for what is not."""

from ipaddress import IPv4Network
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from bootstrap.config.plain_scalars import Trap
from bootstrap.config.values import (
    Boolean,
    Disk,
    LabelKey,
    LabelValue,
    Memory,
    ServiceSubnet,
    Subnet,
    one_of,
    refusal_of_number,
    refusal_of_text,
)


def _read(kind: Any, value: object) -> object:  # noqa: ANN401 - any type of the file
    return TypeAdapter(kind).validate_python(value)


def _refusal(kind: Any, value: object) -> str:  # noqa: ANN401 - any type of the file
    with pytest.raises(ValidationError) as caught:
        _read(kind, value)
    (error,) = caught.value.errors()
    return str(error["ctx"]["error"])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Trap("1.30", "the number 1.3"), '1.30 was read as the number 1.3; write "1.30"'),
        (Trap("no", "the boolean false"), 'no was read as the boolean false; write "no"'),
        (False, 'false was read as the boolean false; write "false"'),
        (12, '12 was read as the number 12; write "12"'),
        (None, "is empty; give it a value or remove the key"),
        ([], "is a list or a mapping; write one value"),
    ],
)
def test_a_value_that_is_not_text_is_refused_with_what_to_write(
    value: object, message: str
) -> None:
    """P-13."""
    assert refusal_of_text(value) == message
    assert _refusal(LabelValue, value) == message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (True, "is not a number; write a whole number, 1 to 9"),
        (None, "is not a number; write a whole number, 1 to 9"),
        ({}, "is not a number; write a whole number, 1 to 9"),
        ("3", "'3' is text; write a whole number without quotes, 1 to 9"),
        (
            Trap("yes", "the boolean true"),
            "yes was read as the boolean true; write a plain whole number, 1 to 9",
        ),
    ],
)
def test_a_value_that_is_not_a_number_is_refused(value: object, message: str) -> None:
    assert refusal_of_number(value, "1 to 9") == message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Trap("no", "the boolean false"), "no was read as the boolean false; write true or false"),
        ("false", "'false' is text; write false without quotes"),
        (1, "is neither true nor false; write one of them"),
        (None, "is neither true nor false; write one of them"),
    ],
)
def test_a_value_that_is_not_a_boolean_is_refused(value: object, message: str) -> None:
    """P-13."""
    assert _refusal(Boolean, value) == message


def test_a_word_that_quotes_would_not_help_is_refused_with_the_allowed_ones() -> None:
    kind = Annotated[str, one_of("a role", ["a", "b"])]
    assert _read(kind, "a") == "a"
    assert _refusal(kind, "c") == "'c' is not a role; use 'a' or 'b'"
    trap = _refusal(kind, Trap("on", "the boolean true"))
    assert trap.endswith("write \"on\" (allowed: 'a' or 'b')")


@pytest.mark.parametrize(
    ("text", "mib"), [("2GiB", 2048), ("1536MiB", 1536), ("1024GiB", 1024 * 1024)]
)
def test_memory_is_read_with_its_unit(text: str, mib: int) -> None:
    assert _read(Memory, text) == mib


@pytest.mark.parametrize(
    ("text", "message"),
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
def test_memory_that_is_not_a_size_is_refused_with_a_suggestion(text: object, message: str) -> None:
    assert _refusal(Memory, text) == message


def test_a_disk_has_a_size_in_gib_between_two_limits() -> None:
    assert _read(Disk, "20GiB") == 20
    assert _read(Disk, "4GiB") == 4
    assert _read(Disk, "1024GiB") == 1024
    assert "use at least '4GiB'" in _refusal(Disk, "3GiB")
    # The image's file system grows no further, so the rest would never be there.
    assert "use at most '1024GiB'" in _refusal(Disk, "1025GiB")
    assert "write it like '20GiB'" in _refusal(Disk, "20480MiB")


@pytest.mark.parametrize(
    ("text", "message"),
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
def test_a_value_that_is_not_a_private_network_is_refused(text: str, message: str) -> None:
    assert _refusal(Subnet, text)[: len(message)] == message


@pytest.mark.parametrize("text", ["10.0.0.0/8", "172.31.0.0/16", "192.168.1.0/24", "100.64.0.0/10"])
def test_private_networks_are_accepted(text: str) -> None:
    assert _read(Subnet, text) == IPv4Network(text)


def test_services_need_a_range_that_the_api_server_accepts() -> None:
    assert _read(ServiceSubnet, "10.96.0.0/12") == IPv4Network("10.96.0.0/12")
    assert _read(ServiceSubnet, "10.96.0.0/28") == IPv4Network("10.96.0.0/28")
    for text in ("10.0.0.0/11", "10.96.0.0/29"):
        with pytest.raises(ValueError, match="use /12 to /28"):
            _read(ServiceSubnet, text)


@pytest.mark.parametrize(
    "key",
    ["a", "disk", "A.b_c-9", "a" * 63, "example.com/a", "node.kubernetes.io/pool",
     "x.kubelet.kubernetes.io/a", "topology.kubernetes.io/zone", "notkubernetes.io/a"],
)  # fmt: skip
def test_label_keys_of_kubernetes_are_accepted(key: str) -> None:
    assert _read(LabelKey, key) == key


@pytest.mark.parametrize(
    "key",
    ["", "-a", "a-", "a b", "a" * 64, "/a", "a/", "a/b/c", "Example.com/a", "a..b/c", "a\n",
     "kubernetes.io/hostname", "node-role.kubernetes.io/gpu", "k8s.io/a", "a.k8s.io/b"],
)  # fmt: skip
def test_label_keys_that_a_kubelet_may_not_set_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r"label key|may not set"):
        _read(LabelKey, key)


def test_label_values_follow_the_rules_of_kubernetes() -> None:
    assert _read(LabelValue, "") == ""
    assert _read(LabelValue, "a" * 63) == "a" * 63
    for value in ("a" * 64, "-a", "a b", "a/b", "ä", "a\n"):
        with pytest.raises(ValueError, match="is not a label value"):
            _read(LabelValue, value)
