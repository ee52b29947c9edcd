"""The command line in a forked child: its own `main`, with guests where nothing can boot."""

import faulthandler
import importlib
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ParamSpec

import libvirt

from bootstrap.model.names import ClusterName
from bootstrap.model.plan import LinkPlan, NodePlan
from bootstrap.workflow.environment import Ports
from tests.faults.guests import Api, Cables, Guests, Images, Memory, NoArtifacts, Playbooks
from tests.faults.injection import Injection, Port

Given = ParamSpec("Given")

_MODULES = (
    "bootstrap.adapters.ansible.runner",
    "bootstrap.adapters.host.acceleration",
    "bootstrap.adapters.host.local",
    "bootstrap.adapters.image.debian",
    "bootstrap.adapters.kubernetes.api",
    "bootstrap.adapters.libvirt.hypervisor",
    "bootstrap.adapters.products.store",
    "bootstrap.adapters.ssh.shell",
    "bootstrap.adapters.trust.cluster",
    "bootstrap.cli.down",
    "bootstrap.cli.image",
    "bootstrap.cli.kubeconfig",
    "bootstrap.cli.listing",
    "bootstrap.cli.status",
    "bootstrap.cli.up",
    "pycdlib",
    "readline",
)


def preload() -> None:
    """Import all that any command would."""
    for name in _MODULES:
        importlib.import_module(name)


def run(request: dict[str, Any]) -> None:
    """Run the command to its end, whichever that is."""
    from bootstrap.cli import main

    faulthandler.register(signal.SIGUSR1)  # what hangs says where
    injection = Injection(request)
    _wire(injection)
    injection.install()
    main()


def _wire(injection: Injection) -> None:
    """Replace in the composition root what needs a guest that runs."""
    from bootstrap.adapters.libvirt import hypervisor as libvirt_hypervisor
    from bootstrap.adapters.trust.store import TrustStore
    from bootstrap.cli import wiring
    from bootstrap.cli.console import StepProgress

    real_hypervisor, real_ports = wiring.build_hypervisor, wiring.build_ports

    def memory(site: wiring.Site) -> Memory:
        return Memory(site.directories.volumes, injection.off)

    def shell(site: wiring.Site, cluster: ClusterName) -> Guests:
        trust = TrustStore(site.directories.cluster_state(cluster))
        return Guests(real_hypervisor(site), memory(site), trust)

    def images(site: wiring.Site, progress: StepProgress) -> Images:
        return Images(site.directories, progress, NoArtifacts())

    def api() -> Api:
        from bootstrap.adapters.directories import find_directories

        volumes = find_directories().volumes
        return injection.port("api", Api(Memory(volumes, injection.off)))

    def ports(site: wiring.Site, cluster: ClusterName, progress: StepProgress) -> Ports:
        built = real_ports(site, cluster, progress)
        plays = Playbooks(shell(site, cluster), memory(site))
        return replace(
            built,
            trust=injection.port("trust", built.trust),
            playbooks=injection.port("playbooks", plays),
        )

    def wrapped(name: str, build: Callable[Given, Port]) -> Callable[Given, Port]:
        def built(*arguments: Given.args, **more: Given.kwargs) -> Port:
            return injection.port(name, build(*arguments, **more))

        return built

    def plug(domain: libvirt.virDomain, node: NodePlan, link: LinkPlan) -> bool:
        return Cables(Memory(node.directory.parent.parent, injection.off)).plug(domain, node, link)

    # By plain assignment, so that mypy holds each to the signature of what it replaces.
    libvirt_hypervisor.plug_link = plug  # type: ignore[attr-defined] # where it is called
    wiring.default_uri = lambda: os.environ["BOOTSTRAP_FAULT_URI"]
    wiring.build_hypervisor = wrapped("hypervisor", real_hypervisor)
    wiring.build_volumes = wrapped("volumes", wiring.build_volumes)
    wiring.build_products = wrapped("products", wiring.build_products)
    wiring.build_images = wrapped("images", images)
    wiring.build_api = api
    wiring.build_shell = shell
    wiring.build_ports = ports
