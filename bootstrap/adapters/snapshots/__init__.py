"""Snapshots as files of this user."""
