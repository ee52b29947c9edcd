"""Find every command that the tool or its documents tell a user to type (V-02, G-24).

In the package those are all texts that begin with a program, in every way in which they get into an
error. A hint that begins otherwise is itself a failing test, so that none stays untested.
"""

import ast
import builtins
import importlib
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from types import SimpleNamespace

from bootstrap.model.snapshot import Origin, SnapshotId
from bootstrap.model.sources import Source
from tests.builders import a_cluster_spec, a_mark, a_plan

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bootstrap"
DOCUMENTS = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    # The page of the commands is what the command line says of itself.
    *sorted(set((ROOT / "docs").rglob("*.md")) - {ROOT / "docs" / "reference" / "commands.md"}),
)
_HINTS = ("hint", "fix")
_OPERATORS = set(";&|")
#: What a name may hold unless it is in SAMPLES, and what is quoted; there is a space in it.
PLACE = "/tmp/demo/a place/file"  # noqa: S108 - only a word


_PLAN = a_plan()


class _Anything:
    """Stands for a value of which only its text matters, which is not safe in a shell."""

    def __getattr__(self, name: str) -> "_Anything":
        return self

    def __str__(self) -> str:
        return PLACE


class _Self(_Anything):
    """Stands for an object, of which a command may name the cluster only."""

    @property
    def cluster(self) -> str:
        return str(_PLAN.name)

    name = cluster


class _Known(str):
    """Stands for the profile of a cluster, and for the ports of its slots."""

    __slots__ = ()

    def __getitem__(self, _: object) -> str:
        return str(_PLAN.initial_control_plane.api_port)


class _Snapshot(SnapshotId):
    """Stands for a snapshot, and for its name."""

    @property
    def id(self) -> SnapshotId:
        return self


_READY = _Snapshot(_PLAN.name, "ready")
_QUOTED = shlex.quote(PLACE)
#: How a hint begins; a few words may stand before, which end with a colon.
BEGINS = re.compile(
    r"([A-Z][^:]*: )?(bootstrap [a-z]|(cd|chmod|df|export|kubeadm token|kubectl|less|ls|pkill|ps|rm"
    rf"|ss|sudo(?! -n)|virsh|{re.escape(_QUOTED)} -m) \S)"
)
_IN_HELP, _IN_TEXT = (
    re.compile(r":\s(bootstrap [a-z][^`.]*)\."),
    re.compile(r"['`](bootstrap [^'`]+)['`]"),
)
#: Whatever is quoted becomes the same word.
_SHLEX = SimpleNamespace(quote=lambda _: _QUOTED, join=lambda _: _QUOTED)
_DOMAIN = SimpleNamespace(mark=a_mark(_PLAN, _PLAN.workers[0]), name=_PLAN.workers[0].name)
_RESTART = "{ sudo pkill --signal KILL --pidfile /run/libvirtd.pid; sudo libvirtd -d; }"
#: What local names hold. With these the expressions of a hint are evaluated in its module, so
#: that a name which may hold a space or a sign of the shell must be quoted there.
SAMPLES: Mapping[str, tuple[object, ...]] = {
    "anew": (_RESTART,),
    "api": ("api",),
    "cluster": (_PLAN.name,),
    "domain": (_DOMAIN,),
    "domains": ([_DOMAIN],),
    "entry_name": ("bootstrap-demo",),
    "every": ("worker",),
    "have": (1,),
    "kind": ("cluster", "context", "user"),
    "known": (_Known("default"),),
    "kubelet": ("v1.36.3",),
    "look": ("df -h", "ls -ld"),
    "name": (_PLAN.name,),
    "node": tuple(_PLAN.workers),
    "origin": (Origin(snapshot=str(_READY), is_complete=False),),
    "path": (Path(PLACE),),
    "package": ("qemu-utils",),
    "plan": (_PLAN,),
    "plane": ("control-plane",),
    "port": (30000,),
    "required": ((1, 26, 8),),
    "self": (_Self(),),
    "setting": ("kernel.apparmor_restrict_unprivileged_userns=0",),
    "snapshot": (_READY,),
    "source": tuple(Source),
    "spec": (a_cluster_spec(),),
    "version": ("v1.37.2",),
    "surplus": (["worker"],),
    "variable": ("BOOTSTRAP_DL_K8S_IO",),
    "verb": ("remove", "replace"),
    "wanted": (30000,),
}
#: Of documents: what stands for a value.
_WORDS = {
    "NAME": "demo",
    "SNAPSHOT": "ready",
    "CLUSTER/SNAPSHOT": "demo/ready",
    "NODE": "worker",
    "FILE": "cluster.yaml",
    "N": "2",
    "RUN": "last",
    "COMMAND": "id",
    "IMAGE": "app:1",
    "ARCHIVE": "app.tar",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A line for a user to type, and where it is written."""

    place: str
    #: With a few words before it, perhaps, which end with a colon.
    text: str
    #: Of lines that are to be typed one after the other: what they have in common.
    story: str = ""

    @property
    def line(self) -> str:
        return self.text.rpartition(": ")[2]

    @property
    def commands(self) -> list[list[str]]:
        """The words of each simple command of the line; redirections are left out."""
        lexer = shlex.shlex(self.line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        found: list[list[str]] = [[]]
        is_target = False
        for word in lexer:
            if is_target or word in ("{", "}"):
                is_target = False
            elif set(word) <= _OPERATORS:
                found.append([])
            elif word == ">":
                is_target = True
            else:
                found[-1].append(word)
        return [words for words in found if words]


@dataclass
class Found:
    told: list[Told] = field(default_factory=list)
    #: Where a hint is that is no command, or that is not known how to fill.
    unknown: list[str] = field(default_factory=list)


def in_package(paths: list[Path] | None = None) -> Found:
    """Find the texts that begin with a program, and the commands within texts and help."""
    found = Found()
    for path in sorted(PACKAGE.rglob("*.py")) if paths is None else paths:
        names = vars(builtins) | {"shlex": _SHLEX}
        if path.is_relative_to(ROOT):
            parts = path.relative_to(ROOT).with_suffix("").parts
            names = vars(importlib.import_module(".".join(parts))) | names
        for parent in ast.walk(ast.parse(path.read_text())):
            for node in _texts(parent):
                _find(node, parent, names, f"{path.relative_to(PACKAGE)}:{node.lineno}", found)
            is_hint = isinstance(parent, ast.keyword) and parent.arg in _HINTS
            if is_hint and any(isinstance(it, ast.BinOp) for it in ast.iter_child_nodes(parent)):
                found.unknown.append(f"{path}: write '{ast.unparse(parent)}' as one text")
    return found


def _find(
    node: ast.Constant | ast.JoinedStr,
    parent: ast.AST,
    names: dict[str, object],
    place: str,
    found: Found,
) -> None:
    is_hint = isinstance(parent, ast.keyword) and parent.arg in _HINTS
    is_help = isinstance(parent, ast.Expr)
    unknown: list[str] = []
    for text in _filled(node, names, unknown):
        is_command = not is_help and BEGINS.match(text)
        commands = [text] if is_command else (_IN_HELP if is_help else _IN_TEXT).findall(text)
        found.told += [Told(place=place, text=" ".join(it.split())) for it in commands]
        if is_hint and text and not is_command:
            unknown.append(f"'{text}' begins with no program that is known")
    if is_hint or BEGINS.match(ast.unparse(node).removeprefix("f").strip("'\"")):
        found.unknown += [f"{place}: {why}" for why in unknown]


def _texts(parent: ast.AST) -> list[ast.Constant | ast.JoinedStr]:
    if isinstance(parent, ast.JoinedStr):
        return []  # its parts
    return [
        node
        for node in ast.iter_child_nodes(parent)
        if isinstance(node, ast.JoinedStr)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    ]


def _filled(
    node: ast.Constant | ast.JoinedStr, names: dict[str, object], unknown: list[str]
) -> Iterator[str]:
    """Return the text of a constant, or those of an f-string with each sample."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
        return
    used = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    local = sorted(name for name in used if name in SAMPLES or name not in names)
    code = compile(ast.Expression(node), "a hint", "eval")
    for values in product(*(SAMPLES.get(name, (_Anything(),)) for name in local)):
        try:
            text = eval(code, dict(names), dict(zip(local, values, strict=True)))  # noqa: S307 - our own
        except Exception as error:  # noqa: BLE001 - whatever a sample is not fit for
            unknown.append(f"{error!r}; add a name to SAMPLES")
            continue
        if PLACE in text.replace(_QUOTED, ""):
            unknown.append("quote what may hold a space")
        yield text


def in_documents() -> list[Told]:
    """Find the lines of shell blocks, and inline commands."""
    return [one for path in DOCUMENTS for one in _in_document(path)]


def _in_document(path: Path) -> Iterator[Told]:
    language, story = None, ""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        place = f"{path.relative_to(ROOT)}:{number}"
        if line.startswith("```"):
            language = None if language is not None else line.removeprefix("```")
            story = _story(path, number)
        elif language == "sh" and shlex.split(line, comments=True):
            yield Told(place=place, text=line.partition(" #")[0].rstrip(), story=story)
        elif language is None:
            yield from (Told(place=place, text=text) for text in _inline(line))


def _story(path: Path, number: int) -> str:
    """Name the story of a block: the whole page, where pages are read from top to bottom."""
    name = path.relative_to(ROOT).as_posix()
    return name if name.startswith(("docs/tutorial/", "docs/how-to/")) else f"{name}:{number}"


def _inline(line: str) -> Iterator[str]:
    codes = re.findall(r"`([^`]+)`", line)
    yield from (_plain(code) for code in codes if re.match(r"(\S*/)?bootstrap \S", code))
    yield from (_plain(code) for code in codes if re.match(r"(\./setup\.sh|sudo|make)\b", code))


def _plain(usage: str) -> str:
    words = usage.replace("[", " ").replace("]", " ").replace("...", " ").split()
    return " ".join(_WORDS.get(word, word) for word in words)


def everything() -> list[Told]:
    """Return all lines, each once a place."""
    return list(dict.fromkeys([*in_package().told, *in_documents()]))
