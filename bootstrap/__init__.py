"""A real Kubernetes cluster on real virtual machines with one command."""

__version__ = "0.1.0"
