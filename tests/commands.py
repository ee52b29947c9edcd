"""Find every command that the tool or its documents tell a user to type (V-02, G-24).

Hints and fixes are found in the syntax trees of ``bootstrap``, whichever way they get into
the error; a way that is not understood here is itself a failing test, so that a new hint
cannot stay untested by being written differently.
"""

import ast
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from bootstrap.adapters.libvirt.errors import restart_command
from tests.builders import a_plan

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bootstrap"
DOCUMENTS = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
)
_HINTS = ("hint", "fix")
_OPERATORS = set(";&|")
#: What a quoted placeholder is filled with; its directory has a space in its name.
PLACE = "/tmp/a place/file"  # noqa: S108 - only a word
_DEMO = ("demo",)
#: What each unquoted placeholder can hold. Whatever can hold a space or a sign that a shell
#: knows is not put here but into ``shlex.quote``.
VALUES: Mapping[str, tuple[str, ...]] = {
    "anew": ("{ sudo pkill --signal KILL --pidfile /run/libvirtd.pid; sudo libvirtd -d; }",),
    "SYSTEM": ("qemu:///system",),
    "cluster": _DEMO,
    "domain.mark.cluster": _DEMO,
    "domains[0].mark.cluster": _DEMO,
    "entry_name": ("bootstrap-demo",),
    "have": ("1",),
    "known": ("default",),
    "kind": ("cluster", "context", "user"),
    "known[api]": (str(a_plan().initial_control_plane.api_port),),
    "look": ("df -h", "ls -ld"),
    "name": _DEMO,
    "next(iter(LOCKS))": ("v1.37.2",),
    "node.directory.parent.name": _DEMO,
    "node.name": ("demo-worker",),
    "node.ssh_port": ("30001",),
    "package": ("qemu-utils",),
    "path.parent.parent.name": _DEMO,
    "plan.name": _DEMO,
    "restart_command(_SESSION_URI)": (restart_command("qemu:///session"),),
    "restart_command(_SYSTEM_URI)": (restart_command("qemu:///system"),),
    "setting": ("kernel.apparmor_restrict_unprivileged_userns=0",),
    "spec.name": _DEMO,
    "wanted": ("30000",),
}
#: Of documents: what stands for a value.
_WORDS = {"NAME": "demo", "NODE": "demo-worker", "FILE": "cluster.yaml", "N": "2", "COMMAND": "id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A line that a user is told to type, and where it is written."""

    place: str
    #: With a few words before it, perhaps, which end with a colon.
    text: str

    @property
    def line(self) -> str:
        """The command line itself."""
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
class _Module:
    path: Path
    tree: ast.Module = field(init=False)
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tree = ast.parse(self.path.read_text())
        for parent in ast.walk(self.tree):
            for child in ast.iter_child_nodes(parent):
                self.parents[child] = parent

    def place(self, node: ast.AST) -> str:
        return f"{self.path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}"

    def functions(self, name: str) -> list[ast.FunctionDef]:
        nodes = ast.walk(self.tree)
        return [n for n in nodes if isinstance(n, ast.FunctionDef) and n.name == name]

    def around(self, node: ast.AST) -> Iterator[ast.FunctionDef]:
        while (node := self.parents.get(node, self.tree)) is not self.tree:
            if isinstance(node, ast.FunctionDef):
                yield node


@dataclass
class Found:
    """What was found in the package."""

    told: list[Told] = field(default_factory=list)
    #: Where something is that could be a hint and that this module cannot follow.
    unknown: list[str] = field(default_factory=list)


def in_package(paths: list[Path] | None = None) -> Found:
    """Find hints, fixes, and commands that are printed for other reasons."""
    found = Found()
    for path in sorted(PACKAGE.rglob("*.py")) if paths is None else paths:
        module = _Module(path)
        texts = dict.fromkeys([*_hints(module, found), *_printed(module)])
        found.told += [Told(place=place, text=text) for place, text in texts]
    return found


def _hints(module: _Module, found: Found) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            for expression in _hint_arguments(module, node):
                yield from _texts(module, expression, found)
        elif isinstance(node, ast.FunctionDef) and _gives_hints(node.name):
            for expression in _returned(node):
                yield from _texts(module, expression, found)


def _gives_hints(function: str) -> bool:
    return function in _HINTS or function.endswith("start_command")


def _hint_arguments(module: _Module, call: ast.Call) -> Iterator[ast.expr]:
    yield from (keyword.value for keyword in call.keywords if keyword.arg in _HINTS)
    if isinstance(call.func, ast.Name):
        for function in module.functions(call.func.id):
            names = [argument.arg for argument in function.args.args]
            pairs = zip(names, call.args, strict=False)
            yield from (value for name, value in pairs if name in _HINTS)


def _texts(module: _Module, node: ast.expr, found: Found) -> Iterator[tuple[str, str]]:
    sources = _sources(module, node)
    if sources is not None:
        for source in sources:
            yield from _texts(module, source, found)
        return
    filled = list(_filled(node, module, found))
    if isinstance(node, ast.Constant | ast.JoinedStr):
        yield from ((module.place(node), text) for text in filled if text)
    else:
        found.unknown.append(f"{module.place(node)}: {ast.unparse(node)}")


def _sources(module: _Module, node: ast.expr) -> list[ast.expr] | None:
    """Give the expressions that a hint's expression gets its text from; None if it is text."""
    match node:
        case ast.IfExp():
            return [node.body, node.orelse]
        case ast.BoolOp(op=ast.Or()):
            return node.values
        case ast.Attribute(attr="hint" | "fix"):
            return []  # whoever made that one is looked at there
        case ast.Call(func=ast.Name(id=name)) if module.functions(name) or _gives_hints(name):
            # One of another module that gives hints is looked at there.
            return [value for one in module.functions(name) for value in _returned(one)]
        case ast.Name(id=name):
            return _assigned(module, node, name)
        case _:
            return None


def _assigned(module: _Module, node: ast.AST, name: str) -> list[ast.expr] | None:
    for function in module.around(node):
        values = _values_of(ast.walk(function), name)
        if values:
            return values
        arguments = function.args
        if name in {one.arg for one in [*arguments.args, *arguments.kwonlyargs]}:
            return []  # its callers are looked at, if the parameter is named as hints are
    return _values_of(module.tree.body, name) or None


def _values_of(nodes: Iterable[ast.AST], name: str) -> list[ast.expr]:
    """Give what is assigned to the name."""
    return [
        node.value
        for node in nodes
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    ]


def _returned(function: ast.FunctionDef) -> list[ast.expr]:
    nodes = (node for node in ast.walk(function) if isinstance(node, ast.Return))
    return [node.value for node in nodes if node.value is not None]


def _filled(node: ast.expr, module: _Module, found: Found) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        parts = [_values(part, module, found) for part in node.values]
        yield from ("".join(choice) for choice in product(*parts))


def _values(part: ast.expr, module: _Module, found: Found) -> tuple[str, ...]:
    if isinstance(part, ast.Constant):
        return (str(part.value),)
    assert isinstance(part, ast.FormattedValue)
    source = ast.unparse(part.value)
    if source.startswith(("shlex.quote(", "shlex.join(")):
        return (shlex.quote(PLACE),)
    if source not in VALUES:
        found.unknown.append(f"{module.place(part)}: quote {{{source}}} or add it to VALUES")
    return VALUES.get(source, ("?",))


def _printed(module: _Module) -> Iterator[tuple[str, str]]:
    """Find texts that are a command, and commands within a text or a help text."""
    ignored = Found()
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.expr) or isinstance(module.parents.get(node), ast.JoinedStr):
            continue
        is_help = isinstance(module.parents.get(node), ast.Expr)
        for text in _filled(node, module, ignored):
            if is_help:
                found = re.findall(r":\s(bootstrap [a-z][^`.]*)\.", text)
            elif re.match(r"(bootstrap [a-z]|kubectl )", text):
                found = [text]
            else:
                found = re.findall(r"['`](bootstrap [^'`]+)['`]", text)
            yield from ((module.place(node), " ".join(one.split())) for one in found)


def in_documents() -> list[Told]:
    """Find the lines of shell blocks, inline commands, and README.md's table of commands."""
    return [one for path in DOCUMENTS for one in _in_document(path)]


def _in_document(path: Path) -> Iterator[Told]:
    language: str | None = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        place = f"{path.relative_to(ROOT)}:{number}"
        if line.startswith("```"):
            language = None if language is not None else line.removeprefix("```")
        elif language == "sh" and shlex.split(line, comments=True):
            yield Told(place=place, text=line.partition(" #")[0].rstrip())
        elif language is None:
            yield from (Told(place=place, text=text) for text in _inline(line))


def _inline(line: str) -> Iterator[str]:
    codes = re.findall(r"`([^`]+)`", line)
    yield from (_plain(code) for code in codes if re.match(r"(\S*/)?bootstrap \S", code))
    yield from (_plain(code) for code in codes if re.match(r"(\./setup\.sh|sudo|make)\b", code))
    is_table = re.match(
        r"\| `(up|down|plan|list|verify|ssh|logs|kubeconfig|inventory|doctor|init"
        r"|artifacts|version)\b",
        line,
    )
    if is_table:
        cell = re.findall(r"`([^`]+)`", line.partition(" | ")[0])
        # A name alone names a command, which may want words.
        yield from (
            f"bootstrap {_plain(code) if ' ' in code else code + ' --help'}" for code in cell
        )


def _plain(usage: str) -> str:
    words = usage.replace("[", " ").replace("]", " ").replace("...", " ").split()
    return " ".join(_WORDS.get(word, word) for word in words)


def package_commands() -> list[Told]:
    """Give what the package tells a user to type."""
    return in_package().told


def everything() -> list[Told]:
    """Give all lines, each once a place."""
    return list(dict.fromkeys([*package_commands(), *in_documents()]))
