"""Manifests of a small system: one overlay over one base, and the certificate's component."""

from __future__ import annotations

from pathlib import Path


def write_manifests(directory: Path) -> Path:
    """Write the manifests into a directory and return it."""
    files = {
        "base/kustomization.yaml": "resources: [all.yaml, redis, services]\n",
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
        "base/redis/kustomization.yaml": ("namespace: nova-redis\nresources: [credentials.yaml]\n"),
        "base/redis/credentials.yaml": """
apiVersion: v1
kind: Secret
metadata: {name: redis-credentials}
stringData:
  # the server's own
  REDIS_PASSWORD: "{redis_password}"
""",
        "base/services/kustomization.yaml": """
namespace: nova-services
configMapGenerator: [{name: services-config, envs: [addresses.conf]}]
generatorOptions: {disableNameSuffixHash: true}
""",
        "base/services/user-service.yaml": """
apiVersion: v1
kind: Service
metadata: {name: user-service}
spec: {ports: [{name: metrics, port: 9090}, {name: http, port: 8080}]}
---
apiVersion: v1
kind: Secret
metadata:
  name: user-service-secrets
stringData:
  REDIS_URL: redis://:{redis_password}@redis-service.nova-redis:6379/0
  KAFKA_BROKERS: kafka.nova.internal:9092
""",
        "components/credentials/kustomization.yaml": """
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
secretGenerator:
  - name: nova-tls
    namespace: nova-services
    type: kubernetes.io/tls
    files: [tls.crt, tls.key]
generatorOptions: {disableNameSuffixHash: true}
""",
        "overlays/multi-node/kustomization.yaml": (
            "resources: [../../base]\ncomponents: [../../components/credentials]\n"
        ),
    }
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory
