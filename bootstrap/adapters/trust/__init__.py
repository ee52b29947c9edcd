"""The keys, certificates and tokens of a cluster."""
