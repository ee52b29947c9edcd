"""The cluster file: its schema, its defaults and its loading into a ``ClusterSpec``."""
