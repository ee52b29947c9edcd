"""What a host without a network has to be given to use a bundle, step by step."""

import shlex

from bootstrap.model.bundle import README, WHEELS, Bundle
from bootstrap.resources import debian_packages


def instructions(bundle: Bundle, file: str) -> str:
    """Return the page of a bundle that is called ``file``, in Markdown."""
    name = shlex.quote(file)
    packages = " \\\n      ".join(debian_packages("run"))
    return f"""\
# Kubernetes {bundle.kubernetes_version} for a host without a network

The host has {bundle.machine}, Debian with Python {bundle.python}, and this file.

1. As root, from Debian's own medium or mirror, what the host may have already:

       apt-get install --no-install-recommends {packages}

2. As the user who shall run clusters, the tool, from the wheels in this file:

       tar -xf {name} {README} {WHEELS}
       python3 -m venv ~/bootstrap
       ~/bootstrap/bin/pip install --no-index --find-links {WHEELS} bootstrap

3. What clusters are made from; this checks every byte of the file:

       ~/bootstrap/bin/bootstrap bundle use {name}

4. A cluster:

       ~/bootstrap/bin/bootstrap up demo
"""
