"""Acceptance of Nova on a Kubernetes cluster: bring it up, deploy, verify, report.

Layers, top to bottom: `cli` and `plugin`, `fixtures`, `report`, `diagnosis`, `deploy` and `probes`,
`cluster`, `system` and `kube`, `timeouts`, `progress` and `masking`, `errors`. A module imports
only from layers below its own; import-linter holds us to it (`pyproject.toml`).
"""
