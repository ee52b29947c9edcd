"""Fetch files over HTTP and HTTPS so that each is whole and right, or not there."""
