"""Where the logs of runs are in a cluster's state directory, and how their names end."""

RUNS, SUFFIX = "runs", ".ndjson"
