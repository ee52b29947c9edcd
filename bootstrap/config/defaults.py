"""Every default of the cluster file, with its reason beside it."""

import ipaddress
from collections.abc import Mapping

from bootstrap.model.spec import NodeRole, SecurityProfile

#: The name in the kubeconfig is then ``bootstrap-bootstrap``: plain, and clearly ours.
NAME = "bootstrap"

#: One of each: the smallest cluster in which a pod can talk to a pod on another node.
NODE_COUNT = 1

#: kubeadm refuses control planes with one, and under emulation the API server of such a
#: node never gets up. A worker is idle until it gets pods, so one is enough.
CPUS: Mapping[NodeRole, int] = {NodeRole.CONTROL_PLANE: 2, NodeRole.WORKER: 1}

#: Measured in use: 1.5 GB on a control plane, 0.65 GB on a worker without pods of users.
#: The rest is for the page cache and for those pods.
MEMORY_MIB: Mapping[NodeRole, int] = {NodeRole.CONTROL_PLANE: 3072, NodeRole.WORKER: 2048}

#: Volumes grow as they are written to, so this costs nothing until it is used.
DISK_GIB = 20

#: Flannel's range, which most add-ons' manifests assume.
POD_SUBNET = ipaddress.IPv4Network("10.244.0.0/16")

#: kubeadm's own default.
SERVICE_SUBNET = ipaddress.IPv4Network("10.96.0.0/12")

#: Lies in neither of the above, nor in QEMU's 10.0.2.0/24, and has room for 99 workers.
NODE_SUBNET = ipaddress.IPv4Network("10.44.0.0/24")

#: Star of links between the nodes: needs no privilege, bridge or firewall rule.
MODE = "links"

#: Built in: CNI's bridge with static routes, nothing to download.
CNI = "bridge"

#: What costs nothing. Strict refuses pods that the most used charts still make.
PROFILE = SecurityProfile.DEFAULT
