"""The artefact source ``go``: everything is built from Go modules."""
