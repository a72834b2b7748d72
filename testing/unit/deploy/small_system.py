"""Manifests of a small system: one overlay over one base, and the credentials' component."""

from __future__ import annotations

from pathlib import Path


def write_manifests(directory: Path) -> Path:
    """Write the manifests into a directory and return it."""
    files = {
        "base/kustomization.yaml": "resources: [all.yaml]\n",
        "base/all.yaml": """
apiVersion: v1
kind: Namespace
metadata: {name: nova-redis}
---
apiVersion: v1
kind: Service
metadata: {name: redis, namespace: nova-redis}
spec:
  selector: {app: redis}
  ports: [{name: redis, port: 6379}, {name: gossip, port: 7946, protocol: UDP}]
""",
        "components/credentials/kustomization.yaml": """
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
secretGenerator:
  - name: redis-credentials
    namespace: nova-redis
    envs: [nova-redis.redis-credentials.env]
  - name: user-service-secrets
    namespace: nova-services
    envs: [nova-services.user-service-secrets.env]
  - name: nova-tls
    namespace: nova-services
    type: kubernetes.io/tls
    files: [tls.crt, tls.key]
generatorOptions: {disableNameSuffixHash: true}
""",
        "components/credentials/nova-redis.redis-credentials.env.in": (
            "# the server's own\nREDIS_PASSWORD={redis_password}\n"
        ),
        "components/credentials/nova-services.user-service-secrets.env.in": (
            "REDIS_URL=redis://:{redis_password}@redis-service.nova-redis:6379/0\n"
            "KAFKA_BROKERS=kafka.nova.internal:9092\n"
        ),
        "overlays/multi-node/kustomization.yaml": (
            "resources: [../../base]\ncomponents: [../../components/credentials]\n"
        ),
    }
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory
