"""Name the container images that are ours."""

#: Serves the checks of a cluster from inside a pod; every node image holds it.
CHECK_IMAGE = "bootstrap.dev/check:v1"
