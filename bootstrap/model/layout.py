"""The version of what a cluster consists of: its domains, networks, names and node files."""

#: Raise it when a cluster of the version before can no longer be worked on. 1 had a bridge in
#: the control plane, and the cluster's name in the names of its nodes; 2 had it in MAC addresses.
LAYOUT = 3
