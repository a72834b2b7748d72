"""Acceptance of Nova on a Kubernetes cluster: bring it up, deploy, verify, report.

A module imports only from layers below its own; `pyproject.toml` lists them, and import-linter
holds us to it.
"""
