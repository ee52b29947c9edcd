"""Where the programs and container images of a node come from."""
