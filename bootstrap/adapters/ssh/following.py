"""Read the output of a command that does not end, line by line."""

import codecs
from collections.abc import Iterator

import paramiko

#: Python acts on a signal between two waits.
_SIGNAL_CHECK_S = 0.5
#: A dead connection is noticed after a few of these.
_KEEPALIVE_S = 15
_PIECE = 65536
#: A longer line comes in pieces: what a node writes may never end.
_LONGEST_LINE = 65536


def lines(client: paramiko.SSHClient, command: str) -> Iterator[str]:
    """Yield each line that a command prints, without its end; close the channel afterwards.

    :raises EOFError: if the connection ends before the command.
    """
    transport = client.get_transport()
    if transport is None:
        raise EOFError("the connection is closed")
    transport.set_keepalive(_KEEPALIVE_S)
    channel = transport.open_session()
    try:
        channel.settimeout(_SIGNAL_CHECK_S)
        channel.set_combine_stderr(combine=True)
        channel.exec_command(command)
        yield from _split(_pieces(channel))
        if channel.recv_exit_status() < 0:
            raise EOFError("it ended before the command did")
    finally:
        channel.close()


def _pieces(channel: paramiko.Channel) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    while True:
        try:
            piece = channel.recv(_PIECE)
        except TimeoutError:
            continue
        if not piece:
            return
        yield decoder.decode(piece)


def _split(pieces: Iterator[str]) -> Iterator[str]:
    rest = ""
    for piece in pieces:
        *whole, rest = (rest + piece).split("\n")
        yield from whole
        if len(rest) > _LONGEST_LINE:
            yield rest
            rest = ""
    if rest:
        yield rest
