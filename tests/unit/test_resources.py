"""The one list of Debian packages."""

from bootstrap.resources import DEBIAN_PACKAGES, debian_packages


def test_each_package_is_there_for_one_use() -> None:
    run, build = debian_packages("run"), debian_packages("build")
    assert "libvirt-daemon-system" in run
    assert "mmdebstrap" in build
    assert len({*run, *build}) == len(run) + len(build)
    lines = [line for line in DEBIAN_PACKAGES.read_text().splitlines() if line[:1] != "#"]
    assert len(lines) == len(run) + len(build)
