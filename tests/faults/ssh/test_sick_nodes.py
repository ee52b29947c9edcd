"""Random sequences of sick SSH servers: no wrong key, no wait without end, well when it is well."""

import io
import logging
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import paramiko
import pytest

from bootstrap.adapters.ssh import shell as shell_module
from bootstrap.adapters.ssh.shell import NodeAccess, SshShell
from bootstrap.adapters.trust.ssh_keys import make_ssh_key_pair
from bootstrap.errors import BootstrapError, TimedOutError
from bootstrap.ports import ShellResult
from bootstrap.waiting import NotYet
from tests.contract.test_shell import Node, parsed
from tests.fakes.sick_link import Illness, SickLink, sick_link
from tests.fakes.ssh_server import CLOSE, SILENCE, Answer, SshServer, ssh_server
from tests.scale import chance, told, trials

HOST, CLIENT, OTHER = make_ssh_key_pair(), make_ssh_key_pair(), make_ssh_key_pair()
#: What a wait costs where only its deadline ends it, and what it may cost elsewhere.
SHORT_S, LONG_S = 0.3, 60.0
#: Far over any sum of waits of SHORT_S, and under LONG_S, on the slowest machine.
BOUND_S = 30.0
#: What the other side does without ever ending the connection.
STAYING = {"freeze", "corrupt", "babble", "escapes", "tarpit", "endless line"}
#: About as much as a server says in a whole healthy connection.
WHOLE_BYTES = 2600
WELL, NOT_YET, TIMED_OUT, FOREIGN_KEY = "well", "not yet", "timed out", "foreign key"


class Forger(paramiko.Ed25519Key):
    """Shows the node's public key without having its private key."""

    def asbytes(self) -> bytes:
        return parsed(HOST).asbytes()

    def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> paramiko.Message:
        signed: paramiko.Message = parsed(OTHER).sign_ssh_data(data, algorithm)
        return signed


IMPOSTORS: dict[str, Callable[[], paramiko.PKey]] = {
    "ed25519": lambda: parsed(OTHER),
    "ecdsa-256": lambda: paramiko.ECDSAKey.generate(bits=256),
    "ecdsa-384": lambda: paramiko.ECDSAKey.generate(bits=384),
    "ecdsa-521": lambda: paramiko.ECDSAKey.generate(bits=521),
    "rsa": lambda: paramiko.RSAKey.generate(2048),
    "forger": lambda: Forger.from_private_key(io.StringIO(HOST.private_text)),
}


@dataclass(kw_only=True)
class Step:
    """One connection: what ails it, and how a call may end."""

    name: str
    outcomes: set[str]
    ill: Illness = field(default_factory=Illness)
    sick_at: dict[str, str] = field(default_factory=dict)
    answer: Answer = field(default_factory=Answer)
    impostor: str = ""
    refused: bool = False
    allowed: str = CLIENT.public_line

    @property
    def patience_s(self) -> float:
        stays = self.ill.kind in STAYING or SILENCE in self.sick_at.values()
        return SHORT_S if stays else LONG_S


def _link(kind: str, dice: random.Random, first: int = 0, last: int = WHOLE_BYTES) -> Step:
    ill = Illness(kind=kind, after=dice.randint(first, last), chance=dice)
    # More than was damaged may have passed before; a damaged host key is another key.
    outcomes = {NOT_YET, TIMED_OUT, WELL} | ({FOREIGN_KEY} if kind == "corrupt" else set())
    return Step(name=str(ill), outcomes=outcomes, ill=ill)


def _banner(kind: str, dice: random.Random) -> Step:
    ill = Illness(kind=kind, after=0, chance=dice)
    return Step(name=str(ill), outcomes={NOT_YET}, ill=ill)


def _stage(dice: random.Random) -> Step:
    stage, how = dice.choice(["banner", "session", "start", "end"]), dice.choice([CLOSE, SILENCE])
    answer = Answer(stdout=b"half of it" * dice.randint(0, 1000))
    outcomes = {NOT_YET} if how == CLOSE else {NOT_YET, TIMED_OUT}
    return Step(name=f"{how} at {stage}", outcomes=outcomes, sick_at={stage: how}, answer=answer)


def _impostor(dice: random.Random) -> Step:
    kind = dice.choice(list(IMPOSTORS))
    outcome = NOT_YET if kind == "forger" else FOREIGN_KEY
    return Step(name=f"impostor {kind}", outcomes={outcome}, impostor=kind)


def _output(dice: random.Random) -> Step:
    noise = b"\x1b]0;owned\x07\x1b[2J\xff\x00\r\n" + dice.randbytes(20)
    out, err = (noise * dice.choice([0, 1, 30_000, 200_000]) for _ in range(2))
    answer = Answer(stdout=out, stderr=err, exit_status=dice.choice([0, 1, 126, 255]))
    return Step(name=f"output {len(out)}/{len(err)}", outcomes={WELL}, answer=answer)


STEPS: dict[str, Callable[[random.Random], Step]] = {
    "refused": lambda _dice: Step(name="refused", outcomes={NOT_YET}, refused=True),
    "accepted and closed": lambda dice: _banner("close", dice),
    "accepted and reset": lambda dice: _banner("reset", dice),
    "frozen from the start": lambda dice: _banner("freeze", dice),
    "closed after the banner": lambda dice: _link("close", dice, 23, 60),
    "frozen in the key exchange": lambda dice: _link("freeze", dice, 23, 900),
    "closed somewhere": lambda dice: _link("close", dice),
    "reset somewhere": lambda dice: _link("reset", dice, 1),
    "frozen somewhere": lambda dice: _link("freeze", dice),
    "damaged somewhere": lambda dice: _link("corrupt", dice),
    "garbage for a banner": lambda dice: _banner("babble", dice),
    "escapes for a banner": lambda dice: _banner("escapes", dice),
    "a tarpit": lambda dice: _banner("tarpit", dice),
    "a line without end": lambda dice: _banner("endless line", dice),
    "garbage somewhere": lambda dice: _link("babble", dice, 23),
    "ill at a stage": _stage,
    "key refused": lambda _dice: Step(
        name="key refused", outcomes={NOT_YET}, allowed=OTHER.public_line
    ),
    "another machine": _impostor,
    "any output": _output,
    "slow": lambda dice: Step(name="slow", outcomes={WELL}, ill=Illness(kind="slow", chance=dice)),
}


@dataclass(kw_only=True)
class World:
    """The node, and the machines that are not it; all behind one port."""

    node: SshServer
    impostors: dict[str, SshServer]
    link: SickLink

    def become(self, step: Step) -> None:
        self.node.sick_at = step.sick_at
        self.node.answer = step.answer
        self.node.allowed = " ".join(step.allowed.split()[:2])
        self.link.target = self.impostors[step.impostor].port if step.impostor else self.node.port
        self.link.ill = step.ill


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="paramiko")


@pytest.fixture(scope="module")
def impostors() -> Iterator[dict[str, SshServer]]:
    """Run machines that accept every key."""
    started = {kind: ssh_server(key(), CLIENT.public_line) for kind, key in IMPOSTORS.items()}
    yield {kind: context.__enter__() for kind, context in started.items()}
    for context in started.values():
        context.__exit__(None, None, None)


@pytest.fixture
def world(impostors: dict[str, SshServer]) -> Iterator[World]:
    with ssh_server(parsed(HOST), CLIENT.public_line) as node, sick_link(node.port) as link:
        yield World(node=node, impostors=impostors, link=link)


def a_shell(timeout_s: float) -> SshShell:
    access = NodeAccess(
        user="node", client_private_key=CLIENT.private_text, host_public_key=HOST.public_line
    )
    return SshShell(lambda _node: access, timeout_s=timeout_s)


def call(world: World, step: Step, *, asks: bool) -> str:
    """Ask or order something, and say how it ended; every end is one that is documented."""
    shell = a_shell(step.patience_s)
    try:
        if asks:
            shell.is_ready(Node(world.link.port))
            return WELL
        answer = shell.run(Node(world.link.port), "true", timeout_s=step.patience_s)
    except NotYet as seen:
        text = str(seen)
        assert text.isprintable(), "it reaches terminals and logs"
        assert 0 < len(text) < 500
        return NOT_YET
    except BootstrapError as error:
        return _documented(error, asks=asks)
    assert answer == ShellResult(
        exit_status=step.answer.exit_status or 0,
        stdout=step.answer.stdout.decode(errors="replace"),
        stderr=step.answer.stderr.decode(errors="replace"),
    )
    return WELL


def _documented(error: BootstrapError, *, asks: bool) -> str:
    if isinstance(error, TimedOutError):
        assert not asks
        assert (error.exit_code, error.hint) == (5, "bootstrap logs demo demo-worker")
        return TIMED_OUT
    assert "is not that node" in error.message
    assert (error.exit_code, error.hint.split()[0]) == (6, "ss")
    return FOREIGN_KEY


def play(world: World, step: Step, *, asks: bool) -> None:
    world.become(step)
    if step.refused:
        world.link.refuse()
    began = time.monotonic()
    outcome = call(world, step, asks=asks)
    if step.refused:
        world.link.open()
    is_first_boot = asks and step.answer.exit_status != 0
    assert outcome in step.outcomes or (is_first_boot and outcome == NOT_YET), step.name
    if step.outcomes != {WELL}:
        assert time.monotonic() - began < BOUND_S, step.name
    assert all(server.users == [] for server in world.impostors.values()), step.name


def test_every_illness_alone(world: World) -> None:
    """S-01, S-02, S-08, S-09, SEC-01, SEC-02."""
    for name, make in STEPS.items():
        for asks in (True, False):
            step = make(chance("alone", name, asks))
            told(f"{name} = {step.name}")
            play(world, step, asks=asks)


@pytest.mark.parametrize("trial", range(trials(ci=200, long=1000)))
def test_a_sequence_of_illnesses_ends_well_when_the_node_is_well(world: World, trial: int) -> None:
    """S-01, S-02, S-08, S-09, C-03, N-10, SEC-01, SEC-02: each trial is one sequence."""
    dice = chance("sequence", trial)
    for name in dice.choices(list(STEPS), k=dice.randint(1, 4)):
        step, asks = STEPS[name](dice), dice.random() < 0.5
        told(f"{name} = {step.name} {'asked' if asks else 'ordered'}")
        play(world, step, asks=asks)
    well = Step(name="well", outcomes={WELL}, answer=Answer(stdout=b"well"))
    play(world, well, asks=True)
    play(world, well, asks=False)


@pytest.mark.parametrize("kind", list(IMPOSTORS))
def test_a_node_that_was_itself_and_then_another_is_refused(world: World, kind: str) -> None:
    """S-01, SEC-01: a key that was right once gives no trust to the next connection."""
    for _ in range(trials(ci=5, long=50)):
        well = Step(name="well", outcomes={WELL})
        outcome = NOT_YET if kind == "forger" else FOREIGN_KEY
        play(world, well, asks=False)
        play(world, Step(name=kind, outcomes={outcome}, impostor=kind), asks=False)
    assert world.impostors[kind].users == world.impostors[kind].commands == []


@pytest.mark.parametrize("is_stderr", [False, True], ids=["stdout", "stderr"])
def test_a_node_cannot_fill_the_memory_of_its_host(
    world: World, monkeypatch: pytest.MonkeyPatch, *, is_stderr: bool
) -> None:
    """A-06: a command that prints for ever is ended long before its deadline."""
    monkeypatch.setattr(shell_module, "_LONGEST_OUTPUT", 3_000_000)
    endless = Answer(is_endless=True, is_endless_stderr=is_stderr)
    world.become(Step(name="endless", outcomes=set(), answer=endless))
    with pytest.raises(BootstrapError, match="printed too much") as caught:
        a_shell(LONG_S).run(Node(world.link.port), "yes", timeout_s=LONG_S)
    assert (caught.value.exit_code, caught.value.hint) == (6, "bootstrap logs demo demo-worker")


def test_both_streams_are_read_at_a_time(world: World) -> None:
    """S-02: over 2 MiB on one stream, the window they share, used to stop the other for ever."""
    answer = Answer(stdout=b"o" * 5_000_000, stderr=b"e" * 5_000_000)
    play(world, Step(name="both", outcomes={WELL}, answer=answer), asks=False)


def test_an_interruption_does_not_wait_for_the_command(world: World) -> None:
    """G-16: Ctrl-C ends a call whose deadline is a minute away."""
    world.become(Step(name="silent", outcomes=set(), sick_at={"end": SILENCE}))

    def interrupt() -> None:
        while not world.node.commands:
            time.sleep(0.01)
        time.sleep(0.2)  # so that it is read what the command prints
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        a_shell(LONG_S).run(Node(world.link.port), "sleep 1h", timeout_s=LONG_S)
    assert time.monotonic() - began < BOUND_S
    thread.join()
