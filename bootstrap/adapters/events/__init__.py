"""The stream of a run's events, and its readers."""
