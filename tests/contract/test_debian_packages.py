"""setup.sh and the package read one list of Debian packages."""

import re
import subprocess
from pathlib import Path

from bootstrap.resources import debian_packages

ROOT = Path(__file__).parents[2]


def test_the_installer_installs_what_the_list_names() -> None:
    (command,) = re.findall(r"^runtime=\$\((.+)\)$", (ROOT / "setup.sh").read_text(), re.MULTILINE)
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    listed = [*debian_packages("run"), *debian_packages("build")]
    assert sorted(done.stdout.split()) == sorted(listed)
