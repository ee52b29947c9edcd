"""The artefact source ``upstream``: the projects' own releases and images."""
