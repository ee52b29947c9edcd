"""Two libvirts: a command goes where the cluster is, and leaves alone what is elsewhere (L-18)."""

import shutil

import pytest

from tests.faults.sandbox import Sandbox

#: A libvirt of each process's own, which has no cluster.
ELSEWHERE = "test:///default"
WRONG_USE = 2


def test_a_cluster_is_found_where_it_was_made_whatever_the_default_is(sandbox: Sandbox) -> None:
    """L-18, G-05: a cluster file may have named the libvirt, and `down` takes no file."""
    sandbox.up()
    for words in (["status"], ["up"], ["plan"]):
        done = sandbox.run(*words, sandbox.name, default_uri=ELSEWHERE)
        assert done.exit_code == 0, str(done)
    sandbox.assert_converged()
    assert sandbox.run("down", sandbox.name, default_uri=ELSEWHERE).exit_code == 0
    sandbox.assert_nothing()


def test_it_is_found_without_any_state(sandbox: Sandbox) -> None:
    """L-18, Z-09."""
    sandbox.up()
    shutil.rmtree(sandbox.root / "state" / sandbox.name)
    assert sandbox.run("down", sandbox.name, default_uri=ELSEWHERE).exit_code == 0
    assert not sandbox.nodes()
    assert not (sandbox.root / "data" / "volumes" / sandbox.name).exists()


@pytest.mark.parametrize("words", [["down"], ["up"], ["status"], ["verify"], ["logs"], ["plan"]])
def test_another_libvirt_for_it_is_wrong_use_and_changes_nothing(
    sandbox: Sandbox, words: list[str]
) -> None:
    """L-18: both are named."""
    sandbox.up()
    before = sandbox.inventory()
    ended = sandbox.run(*words, sandbox.name, "--hypervisor", "qemu:///system")
    assert ended.exit_code == WRONG_USE, str(ended)
    assert "not at 'qemu:///system'" in ended.stderr
    assert sandbox.daemon.uri in ended.stderr
    assert sandbox.inventory() == before
    sandbox.down()


@pytest.mark.parametrize("words", [["down", "--all"], ["image", "prune"], ["list"]])
def test_what_is_for_all_of_one_libvirt_leaves_the_other_alone(
    sandbox: Sandbox, words: list[str]
) -> None:
    """L-18, I-13: disks, keys, and the image under the disks."""
    sandbox.up()
    before, image = sandbox.inventory(), sandbox.root / "data" / "images"
    images = sorted(image.rglob("*"))
    ended = sandbox.run(*words, default_uri=ELSEWHERE)
    assert ended.exit_code == 0, str(ended)
    assert sandbox.inventory() == before
    assert sorted(image.rglob("*")) == images
    sandbox.down()
