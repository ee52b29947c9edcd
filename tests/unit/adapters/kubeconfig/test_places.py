from pathlib import Path

from bootstrap.adapters.kubeconfig.places import file_for_new_entries, kubeconfig_files


def test_without_a_variable_it_is_the_file_at_home(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    expected = [tmp_path / ".kube" / "config"]
    assert kubeconfig_files(home) == expected
    assert kubeconfig_files(home | {"KUBECONFIG": ""}) == expected
    assert kubeconfig_files(home | {"KUBECONFIG": ":"}) == expected


def test_the_list_keeps_its_order_without_gaps_and_doubles() -> None:
    files = kubeconfig_files({"KUBECONFIG": "/b::/a:/b"})
    assert files == [Path("/b"), Path("/a")]


def test_a_new_entry_goes_into_the_first_file_that_exists(tmp_path: Path) -> None:
    a, b, c = (tmp_path / name for name in "abc")
    b.touch()
    c.touch()
    assert file_for_new_entries([a, b, c]) == b


def test_if_none_exists_a_new_entry_goes_into_the_last(tmp_path: Path) -> None:
    a, b = (tmp_path / name for name in "ab")
    assert file_for_new_entries([a, b]) == b
