"""The programs and container images of a node, and the sources that they come from."""
