"""The command line. Importing it imports neither libvirt nor Ansible nor Kubernetes."""

from bootstrap.cli.group import cli

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit with its code."""
    cli(prog_name="bootstrap")
