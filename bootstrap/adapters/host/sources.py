"""Check what each source of Kubernetes needs of this host and of its network."""

import os
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bootstrap.adapters.artifacts.chosen import ChosenArtifacts
from bootstrap.adapters.artifacts.go.toolchain import Toolchain, find_toolchain, required_go
from bootstrap.adapters.artifacts.upstream.pins import Pins
from bootstrap.adapters.artifacts.upstream.reach import Reach, answers_at, reach
from bootstrap.adapters.artifacts.upstream.releases import architecture, releases_of
from bootstrap.adapters.clock import seconds_since_epoch
from bootstrap.adapters.directories import Directories
from bootstrap.adapters.downloads.connections import authorities, without_password
from bootstrap.adapters.events.stream import EventStream
from bootstrap.adapters.process import run
from bootstrap.errors import HostError
from bootstrap.model.sources import Source
from bootstrap.model.versions import DEFAULT_VERSION
from bootstrap.resources import resource_directory

_GO_TIMEOUT_S = 20
_BUNDLE = "export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"
_NETWORK = "export HTTPS_PROXY=http://proxy.example:3128"


@dataclass(kw_only=True)
class SourceChecks:
    """The checks of a source; each may be called in a thread of its own."""

    directories: Directories
    #: What the user chose.
    source: Source
    ask: Callable[[], Sequence[Reach]] = reach

    @cached_property
    def reached(self) -> Sequence[Reach]:
        """Whether the projects' servers answer."""
        return self.ask()

    @cached_property
    def cached(self) -> Source | None:
        """The source of which all is in the cache, if there is one."""
        artifacts = ChosenArtifacts(self.directories, EventStream())
        sources = [self.source] if self.source is not Source.AUTO else [Source.UPSTREAM, Source.GO]
        return next((it for it in sources if artifacts.find(DEFAULT_VERSION, it)), None)

    @property
    def chosen(self) -> Source:
        """The source that `up` would take for a new cluster."""
        if self.source is not Source.AUTO:
            return self.source
        away = any(it.reason for it in self.reached)
        return self.cached or (Source.GO if away else Source.UPSTREAM)

    def choice(self) -> str:
        """Say which source is taken, and why."""
        if self.cached is not None:
            return f"{self.cached}: all of Kubernetes {DEFAULT_VERSION} is in the cache"
        if self.source is not Source.AUTO:
            return f"{self.source}: it was chosen"
        away = [it.site.host for it in self.reached if it.reason]
        if not away:
            return "upstream: its servers answer"
        return f"go: no way leads to {', '.join(away)}"

    def site(self, host: str) -> str:
        """Say whether a server answers; one that is not needed may be away.

        :raises HostError: if one that is needed does not answer.
        """
        (found,) = (it for it in self.reached if it.site.host == host)
        if not found.reason:
            return f"reached at {found.way}"
        if self.chosen is Source.UPSTREAM and self.cached is None:
            raise HostError(f"{found.way}: {found.reason}.", hint=found.hint or _NETWORK)
        return f"not reached at {found.way}, which is not needed: {found.reason}"

    def module_proxy(self) -> str:
        """Say whether Go's module proxy answers.

        :raises HostError: if it does not, and modules are needed.
        """
        go = self._go()
        if go is None:
            return "known once Go is there"
        listed = run([go.program, "env", "GOPROXY"], action="ask Go", timeout_s=_GO_TIMEOUT_S)
        proxy = listed.stdout.strip().replace("|", ",").partition(",")[0]
        if not proxy.startswith(("http://", "https://")):
            return f"GOPROXY is '{proxy}'"
        shown, reason = without_password(proxy), answers_at(proxy)
        if not reason:
            return f"reached at {shown}"
        if self.chosen is Source.GO and self.cached is None:
            raise HostError(f"{shown}: {reason}.", hint="export GOPROXY=direct")
        return f"not reached at {shown}, which is not needed: {reason}"

    def checksums(self) -> str:
        """Say how many official files have a checksum that is known before.

        :raises StateError: if a file of checksums is damaged.
        """
        pins = Pins(self.directories)
        wanted = [it.address for it in releases_of(DEFAULT_VERSION, architecture())]
        pinned = sum(pins.is_pinned(it) for it in wanted)
        recorded = sum(pins.find(it) is not None for it in wanted) - pinned
        rest = len(wanted) - pinned - recorded
        return (
            f"of {len(wanted)} official files {pinned} are pinned, {recorded} were recorded at "
            f"their first use, {rest} will be"
        )

    def authorities(self) -> str:
        """Say which certificate authorities are trusted.

        :raises HostError: if there are none, or all of them have expired.
        """
        bundle = authorities()
        chosen = os.environ.get("SSL_CERT_FILE")
        if chosen is None and bundle is None:
            return "those that OpenSSL knows by itself"
        try:
            context = ssl.create_default_context(cafile=chosen or str(bundle))
        except OSError as error:
            message = f"File '{chosen or bundle}' cannot be used: {error}."
            raise HostError(message, hint=_BUNDLE) from error
        found = context.get_ca_certs()
        place = chosen or bundle
        now = seconds_since_epoch()
        ended = sum(ssl.cert_time_to_seconds(str(it["notAfter"])) < now for it in found)
        if len(found) == ended:
            message = f"'{place}' has no certificate that is valid now, of {len(found)}."
            raise HostError(message, hint="sudo apt-get install --reinstall ca-certificates")
        return f"{len(found)} in {place}, {ended} of them expired"

    def _go(self) -> Toolchain | None:
        required = required_go(resource_directory("artifacts"))
        return find_toolchain(self.directories.cache, required)


def x86_64_level(flags: Path = Path("/proc/cpuinfo")) -> int:
    """Return the level of x86-64 that the first processor has, from 1 to 4; 0 if it is another."""
    lines = flags.read_text().partition("\n\n")[0].splitlines()
    found = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
    levels = [set(level.split()) <= set(found) for level in _LEVELS]
    return levels.index(False) if False in levels else len(levels)


#: What each level adds, by the names of the kernel.
_LEVELS = (
    "lm cmov cx8 fpu fxsr mmx sse sse2",
    "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3",
    "avx avx2 bmi1 bmi2 f16c fma abm movbe xsave",
    "avx512f avx512bw avx512cd avx512dq avx512vl",
)
