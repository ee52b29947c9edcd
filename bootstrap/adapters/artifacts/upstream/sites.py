"""The servers of official releases and images, or the mirrors that the user has for them."""

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from bootstrap.adapters.downloads.connections import without_password
from bootstrap.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A server by its official name."""

    host: str
    #: The environment variable with the address of a mirror.
    variable: str
    #: Domains whose hosts the server may redirect to for what has no known digest.
    domains: tuple[str, ...]

    @property
    def base(self) -> str:
        """The address below which the files are, without a slash at its end.

        :raises UsageError: if that of a mirror is not one of HTTP.
        """
        variable = self.variable
        chosen = os.environ.get(variable)
        if not chosen:
            return f"https://{self.host}"
        parts = urlsplit(chosen)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise UsageError(
                f"{variable} is not the address of a mirror of {self.host}.",
                details=f"It is '{without_password(chosen)}'.",
                hint=f"export {variable}=https://mirror.example/path",
            )
        return chosen.rstrip("/")

    def answers(self, host: str) -> bool:
        """Tell whether a host may answer for this one."""
        return host == urlsplit(self.base).hostname or any(
            host == domain or host.endswith(f".{domain}") for domain in self.domains
        )


KUBERNETES = Site(host="dl.k8s.io", variable="BOOTSTRAP_DL_K8S_IO", domains=("k8s.io",))
GITHUB = Site(
    host="github.com", variable="BOOTSTRAP_GITHUB_COM", domains=("githubusercontent.com",)
)
REGISTRY = Site(
    host="registry.k8s.io", variable="BOOTSTRAP_REGISTRY_K8S_IO", domains=("k8s.io", "pkg.dev")
)
SITES = (KUBERNETES, GITHUB, REGISTRY)
