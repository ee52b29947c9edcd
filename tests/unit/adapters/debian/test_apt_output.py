"""How far apt is, as it says itself; the lines are those of a real run."""

from bootstrap.adapters.debian.apt_output import AptOutput
from bootstrap.model.events import Unit

OUTPUT = """\
I: running apt-get update...
Get:1 http://mirror.example/debian trixie InRelease [140 kB]
Fetched 10.2 MB in 8s (1308 kB/s)
I: downloading packages with apt...
0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.
Need to get 3410 kB of archives.
After this operation, 17.7 MB of additional disk space will be used.
Get:1 http://mirror.example/debian trixie/main amd64 libc6 amd64 2.41-12+deb13u5 [2850 kB]
Get:2 http://mirror.example/debian trixie/main amd64 libgmp10 amd64 2:6.3.0+dfsg-3 [560 kB]
I: installing essential packages...
Unpacking libc6:amd64 (2.41-12+deb13u5) ...
Setting up libc6:amd64 (2.41-12+deb13u5) ...
Setting up libgmp10:amd64 (2:6.3.0+dfsg-3) ...
I: installing remaining packages inside the chroot...
0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.
Need to get 1.2 MB/14.1 MB of archives.
Get:1 http://mirror.example/debian trixie/main amd64 chrony amd64 4.6.1-3 [1250 kB]
Setting up chrony (4.6.1-3) ...
"""


def reports(text: str) -> list[tuple[str, int, int | None, Unit]]:
    found: list[tuple[str, int, int | None, Unit]] = []
    output = AptOutput(lambda *report: found.append(report))
    for line in text.splitlines():
        output.take(line)
    return found


def test_bytes_and_packages_are_counted() -> None:
    fetching, setting_up = "Fetching Debian packages", "Setting up Debian packages"
    assert reports(OUTPUT) == [
        (fetching, 2_850_000, 3_410_000, Unit.BYTES),
        (fetching, 3_410_000, 3_410_000, Unit.BYTES),
        (setting_up, 1, 2, Unit.PACKAGES),
        (setting_up, 2, 2, Unit.PACKAGES),
        (fetching, 1_200_000, 1_200_000, Unit.BYTES),
        (setting_up, 3, 3, Unit.PACKAGES),
    ]


def test_other_output_says_nothing() -> None:
    assert reports("Need to get\nGet:x\nSetting up\n0 upgraded\n\nGet:1 a [1 kB]\n") == []
