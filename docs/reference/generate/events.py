"""The page of the events: their example, steps, statuses and schema are those of the code."""

import json
from pathlib import Path

from bootstrap.adapters.events.ndjson import SCHEMA
from bootstrap.model.events import INTERNAL, INTERRUPTED, Status, Step
from docs.reference.generate.markdown import block, code, table

#: Whole lines of a run; tests/unit/adapters/events/test_ndjson.py has the code write them.
_EXAMPLE = Path(__file__).parents[3] / "tests" / "data" / "golden" / "events.ndjson"
_HEAD = """\
# Events

A run reports what happens as a stream of events. Commands that make progress show it in four
places:

- **stderr**. On a terminal, a live view: a row for each node, and how long the run will take, as
  far as earlier runs on this host tell. Elsewhere, and in CI, one line for each event that is worth
  reading. `--progress live|plain` chooses; `-q`, or `--progress none`, prints results and errors
  only. `-v` adds each command and libvirt call. These options can stand before or after the name of
  the command. `NO_COLOR` and `TERM=dumb` are respected.
- **`--events FILE`** appends each event to a file as NDJSON: one JSON object on a line. A line is
  written as soon as the event happens, so a run that is killed leaves whole lines. A new file has
  mode 0600.
- **`--events -`** writes the same lines on stdout. Nothing else is written there: the result is
  the key `result` of the last line, and `-o` has no effect. An error is the last line too, and is
  still explained on stderr.
- **`STATE/NAME/runs/RUN.ndjson`**, the cluster's own log of runs, mode 0600. It holds the
  start of the run, what happened while it had the cluster's lock, and how that ended. The last 20
  runs are kept; `down` removes them with the directory. `bootstrap timeline NAME`
  [draws them](../how-to/see-a-run.md). A log that cannot be written stops no run.

No event holds a secret.

For example, a file whose lines with the status `failed` name the step, the error and the detail:

```sh
bootstrap up demo --events events.ndjson
```

## Example

"""
_STEPS_HEAD = """\
## Steps

Their ids are stable. `secondsByStep` of `bootstrap up -o json` has the seconds of each.

"""
_TAIL = f"""\
## Error ids

They are those of [the exit codes](exit-codes.md). `{INTERRUPTED}` is a run that a signal ended,
and `{INTERNAL}` is a defect of this program.

## Schema

Later versions may add keys, steps and statuses; ignore those that you do not know.

"""
_STEPS = {
    Step.CHECK_HOST: "programs, memory, disk and directories of this host",
    Step.PREPARE_IMAGE: "find the node image, or build it",
    Step.CREATE_MACHINES: "keys, files, volumes and domains",
    Step.BOOT: "start the control plane (and the workers, unless the host is too small) and wait "
    "for SSH",
    Step.CONTROL_PLANE: "run the playbook on the control plane",
    Step.JOIN: "boot the workers and run the playbook on them",
    Step.LOAD: "bring container images to nodes that lack them, or remove them "
    "(`bootstrap image loaded NAME`)",
    Step.VERIFY: "the checks of `bootstrap verify NAME`, then the kubeconfig",
    Step.EVIDENCE: "save consoles and journals of a failed run",
    Step.DRAIN: "empty the nodes that are about to be removed",
    Step.REMOVE: "remove a cluster, single nodes of it, or the machines of a failed run",
    Step.STOP: "shut down nodes and, with the last one, the switch",
    Step.SUSPEND: "freeze nodes in memory",
    Step.SAVE: "freeze all nodes, save their memory and disks, and let them go on",
    Step.RESTORE: "copy the saved disks, and start all nodes with their saved memory",
    Step.BUILD_ARTIFACTS: "build programs and container images (`bootstrap artifacts build`)",
    Step.BUNDLE: "write a bundle, or check and take one (`bundle create`, `bundle use`)",
}
_STATUSES = {
    Status.STARTED: "A step starts, or the run if `step` is null.",
    Status.FINISHED: "It ended well. Every step that started has an end, also when a signal ends "
    "the run.",
    Status.FAILED: "It ended with an error; `error` is its id and `detail` its message.",
    Status.RUNNING: "The node works on `detail` now: it boots, or runs this task of the playbook. "
    "`phase` is the step that the work belongs to: a worker may boot during `join`.",
    Status.DONE: "The node has ended its work of the phase; `detail` says what it is now. Before "
    "the first step: how an existing node was found.",
    Status.PROGRESS: "`progress` says how much of `detail` is done; at most one a second.",
    Status.WAITING: "A wait goes on, and `detail` says what was seen last; at most one in ten "
    "seconds.",
    Status.NOTE: "A remark.",
    Status.COMMAND: "A command or libvirt call, ready to copy. Passwords in URLs are replaced by "
    "`***`. A call that polls is reported once.",
}


def events() -> str:
    """Return the page of the events."""
    steps = table(["step", "what happens in it"], [(code(one), _STEPS[one]) for one in Step])
    statuses = table(["status", "meaning"], [(code(one), _STATUSES[one]) for one in Status])
    parts = [
        f"{_HEAD}{block('json', _EXAMPLE.read_text())}",
        f"{_STEPS_HEAD}{steps}",
        f"## Statuses\n\n{statuses}",
        f"{_TAIL}{block('json', json.dumps(SCHEMA, indent=2))}",
    ]
    return "\n".join(parts)
