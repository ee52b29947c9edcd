"""A profile fills in what neither the file nor an option sets, and nothing else."""

from collections.abc import Callable

import pytest

from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.model.spec import MAX_WORKERS, ClusterSpec, NodeRole, SecurityProfile

Load = Callable[..., ClusterSpec]
Problems = Callable[..., list[str]]

CONTROL_PLANE, WORKER = NodeRole.CONTROL_PLANE, NodeRole.WORKER


def _sizes(spec: ClusterSpec) -> list[tuple[NodeRole, int, int]]:
    return [(group.role, group.count, group.memory_mib) for group in spec.node_groups]


CI = [(CONTROL_PLANE, 1, 2304), (WORKER, 2, 1536)]


def test_the_ci_profile_is_three_nodes_and_leaves_room_for_qemu_in_6_gib() -> None:
    sizes = _sizes(load_spec(None, Flags(profile="ci")))
    assert sizes == CI
    assert 6144 - sum(count * memory for _, count, memory in sizes) >= 768


def test_file_and_option_mean_the_same(load: Load) -> None:
    option = load_spec(None, Flags(profile="ci"))
    assert load("profile: ci") == load("profile: default", profile="ci") == option


def test_the_default_profile_is_no_profile(load: Load) -> None:
    assert load("profile: default") == load("profile: ci", profile="default") == load()


@pytest.mark.parametrize(
    ("flags", "sizes"),
    [
        ({"workers": 1}, [CI[0], (WORKER, 1, 1536)]),
        ({"workers": 0}, CI[:1]),
        ({"workers": MAX_WORKERS}, [CI[0], (WORKER, MAX_WORKERS, 1536)]),
        ({"memory": "4GiB"}, [(CONTROL_PLANE, 1, 4096), (WORKER, 2, 4096)]),
    ],
)
def test_options_win_over_the_profile(
    flags: dict[str, object], sizes: list[tuple[NodeRole, int, int]]
) -> None:
    assert _sizes(load_spec(None, Flags(profile="ci", **flags))) == sizes  # type: ignore[arg-type]


def test_the_file_wins_over_the_profile(load: Load) -> None:
    text = "nodes: [{memory: 3GiB}, {role: worker}, {role: worker, memory: 1GiB, cpus: 4}]"
    assert _sizes(load(text, profile="ci")) == [
        (CONTROL_PLANE, 1, 3072),
        (WORKER, 1, 1536),
        (WORKER, 1, 1024),
    ]


def test_a_group_that_an_option_adds_has_the_profiles_size(load: Load) -> None:
    text = "profile: ci\nnodes: [{role: control-plane}]"
    assert _sizes(load(text, workers=2)) == CI


def test_a_profile_of_sizes_goes_with_each_security_profile() -> None:
    spec = load_spec(None, Flags(profile="ci", security_profile="strict"))
    assert _sizes(spec) == CI
    assert spec.security.profile is SecurityProfile.STRICT


@pytest.mark.parametrize(
    "text", ["nodes:", "nodes: x", "nodes: [x, [], null]", "nodes: [{role: [x]}, {role: master}]"]
)
def test_a_profile_over_nodes_of_another_shape_keeps_their_problems(
    text: str, problems: Problems
) -> None:
    lines = problems(f"profile: ci\n{text}")
    assert lines
    assert all(line.startswith("x.yaml:4:") for line in lines)


@pytest.mark.parametrize("value", ["[ci]", "{ci: x}", "CI", "1"])
def test_another_profile_is_refused(value: str, problems: Problems) -> None:
    (line,) = problems(f"profile: {value}")
    assert line.startswith("x.yaml:3:10: profile: ")


def test_choosing_a_profile_is_choosing_what_it_governs() -> None:
    """Else `up` would keep other sizes of an existing cluster without a word."""
    assert Flags(profile="ci").chosen_facts() >= {"workers", "memoryMiB"}
