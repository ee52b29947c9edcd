"""Find out within seconds whether the servers of official releases answer from here."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from bootstrap.adapters.artifacts.upstream.sites import GITHUB, KUBERNETES, REGISTRY, SITES, Site
from bootstrap.adapters.downloads.connections import Connections, proxy_for, without_password
from bootstrap.adapters.downloads.failures import Passing
from bootstrap.adapters.downloads.following import Trust, answers, anybody
from bootstrap.errors import BootstrapError
from bootstrap.threads import within

#: How long a server may take to answer; a host without internet waits that long once.
PATIENCE_S = 3.0
#: Small, and there for as long as the server is.
_PATHS = {
    KUBERNETES: "release/stable.txt",
    GITHUB: "containerd/containerd/releases",
    REGISTRY: "pause/manifests/3.10",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whether one server answers."""

    site: Site
    #: Why it does not; empty if it does.
    reason: str = ""
    hint: str = ""

    @property
    def way(self) -> str:
        """The address that was tried, and the proxy on the way to it."""
        proxy = proxy_for(self.site.base)
        way = f", by the proxy {without_password(proxy)}" if proxy else ""
        return f"{without_password(self.site.base)}{way}"


def reach() -> list[Reach]:
    """Ask all servers at once; each has three seconds."""
    futures = within(PATIENCE_S, _reach, SITES)
    late = f"it does not answer within {PATIENCE_S:.0f} s"
    return [
        future.result() if future.done() else Reach(site=site, reason=late)
        for site, future in zip(SITES, futures, strict=True)
    ]


def answers_at(url: str) -> str:
    """Return why a server does not answer; empty if it does, whatever it says."""
    return _asked(url, anybody)[0]


def _reach(site: Site) -> Reach:
    reason, hint = _asked(_url(site), site.answers)
    return Reach(site=site, reason=reason, hint=hint)


def _asked(url: str, trust: Trust) -> tuple[str, str]:
    connections = Connections(connect_s=PATIENCE_S, read_s=PATIENCE_S)
    try:
        answers(connections, url, trust)
    except Passing as passing:
        return str(passing), ""
    except BootstrapError as error:
        return " ".join(error.summary.split()), error.hint
    return "", ""


def _url(site: Site) -> str:
    base = urlsplit(site.base)
    path = f"{base.path}/{_PATHS[site]}"
    return base._replace(path=f"/v2{path}" if site is REGISTRY else path).geturl()
