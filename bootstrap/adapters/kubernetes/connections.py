"""A connection on which the head of an answer, too, has to come in time."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import urllib3
from urllib3.connection import HTTPSConnection


def end_slow_heads(manager: urllib3.PoolManager) -> None:
    """Have every connection of ``manager`` count its time-out for the whole head."""
    manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "https": _PromptPool}


class _PromptConnection(HTTPSConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override] # as urllib3's own
        # The socket's own time-out is for each piece, and a head may come by the byte.
        with _cut_after(self.timeout, self.sock):
            return super().getresponse()


class _PromptPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _PromptConnection


@contextlib.contextmanager
def _cut_after(timeout_s: float | None, connected: socket.socket) -> Iterator[None]:
    late = threading.Event()

    def cut() -> None:
        late.set()
        with contextlib.suppress(OSError):  # whoever closed it first did what is wanted
            connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(timeout_s or threading.TIMEOUT_MAX, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception:
        if not late.is_set():
            raise
    finally:
        timer.cancel()
    # Python reads a head that was cut as a head that ended, so its end proves nothing.
    if late.is_set():
        raise TimeoutError("the head of the answer still came") from None
