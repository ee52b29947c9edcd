"""The words of each command's example on the page of the results."""

from collections.abc import Mapping, Sequence

Words = tuple[str, ...]
_UP, _LOAD = ("up", "demo"), ("image", "load", "demo", "app.tar")
_SAVE = ("snapshot", "save", "demo", "ready")
_SAVED = [_UP, _SAVE]
#: The words of each example, and the commands that are run before it on a host without a cluster.
EXAMPLES: Mapping[str, tuple[Words, Sequence[Words]]] = {
    "up": (_UP, []),
    "down": (("down", "demo"), [_UP]),
    "stop": (("stop", "demo", "worker"), [_UP]),
    "start": (("start", "demo"), [_UP, ("stop", "demo")]),
    "reboot": (("reboot", "demo"), [_UP]),
    "suspend": (("suspend", "demo", "worker"), [_UP]),
    "resume": (("resume", "demo"), [_UP, ("suspend", "demo")]),
    "snapshot save": (_SAVE, [_UP]),
    "snapshot restore": (("snapshot", "restore", "demo"), _SAVED),
    "snapshot list": (("snapshot", "list"), _SAVED),
    "snapshot show": (("snapshot", "show", "demo"), _SAVED),
    "snapshot delete": (("snapshot", "delete", "demo", "ready"), _SAVED),
    "snapshot prune": (("snapshot", "prune", "--keep", "0"), _SAVED),
    "snapshot key": (("snapshot", "key", "demo"), [_UP]),
    "reset": (("reset", "demo"), _SAVED),
    "list": (("list",), [_UP]),
    "status": (("status", "demo"), [_UP]),
    "verify": (("verify", "demo"), [_UP]),
    "node add": (("node", "add", "demo"), [_UP]),
    "node remove": (("node", "remove", "demo", "worker"), [_UP]),
    "node replace": (("node", "replace", "demo", "worker"), [_UP]),
    "plan": (("plan", "demo"), []),
    "logs": (("logs", "demo"), [_UP]),
    "timeline": (("timeline", "demo", "-O", "run.html"), [_UP]),
    "doctor": (("doctor",), []),
    "image load": (_LOAD, [_UP]),
    "image loaded": (("image", "loaded", "demo"), [_UP, _LOAD]),
    "image unload": (("image", "unload", "demo", "example.test/app:1"), [_UP, _LOAD]),
    "image build": (("image", "build"), []),
    "image key": (("image", "key"), []),
    "image list": (("image", "list"), [_UP]),
    "image prune": (("image", "prune"), []),
    "artifacts build": (("artifacts", "build"), []),
    "artifacts list": (("artifacts", "list"), []),
    "artifacts prune": (("artifacts", "prune"), []),
    "bundle create": (("bundle", "create", "kubernetes.bundle"), []),
    "bundle show": (("bundle", "show", "shown.bundle"), [("bundle", "create", "shown.bundle")]),
    "bundle use": (
        ("bundle", "use", "used.bundle"),
        # One that is not here any more is taken.
        [("bundle", "create", "used.bundle"), ("image", "prune")],
    ),
    "version": (("version",), []),
    "versions": (("versions",), []),
}
#: Commands that print what another one prints, and need real files to do so.
SIMILAR = {"snapshot export": "snapshot show", "snapshot import": "snapshot show"}
#: What changes from run to run, or is only as a fake has it, and what is printed in its place.
PLACEHOLDERS: Mapping[str, object] = {
    "began": "2030-01-01T00:00:00+00:00",
    "certificatesEnd": "2031-01-01T00:00:00+00:00",
    "change": "same",
    "comparedWith": "20291231T000000Z-00c0ffee",
    "criticalPath": [
        {
            "node": "worker",
            "what": "joining the workers",
            "fromSecond": 107.2,
            "seconds": 68.2,
        }
    ],
    "evidence": "control-plane Ready 10.44.0.11 v1.37.2; worker Ready 10.44.0.21 v1.37.2",
    "key": "24b3039c86537a2f9e0b8faa76546980",
    "python": "3.11.2",
    "run": "20300101T000000Z-00c0ffee",
    "seconds": 26.5,
    "secondsBefore": 25.9,
    "secondsByStep": {"boot": 26.5, "verify": 14.1},
    "sizeBytes": 1789569706,
    "snapshot": "cached/24b3039c86537a2f9e0b8faa76546980",
}
