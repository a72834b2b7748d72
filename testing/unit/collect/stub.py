"""A cluster in memory that also says what it serves and allows."""
# ruff: noqa: ARG002 - a stub keeps the signatures of what it stands for

from __future__ import annotations

import threading

from nova_acceptance.kube import ApiError, Object, PodRef
from testing.unit.deploy import stub_kube


class StubKube(stub_kube.StubKube):
    """A cluster in memory whose objects stay as they are.

    Attributes:
        forbidden: kinds whose list is refused.
        forbidden_everywhere: whether a list of all namespaces is refused, of whatever kind.
        unserved: kinds that the server does not know, and versions in which it serves none.
        silent: kinds whose list is never answered while the test lasts.
        denied: what this user may not do, as `verb resource`.
        asked: every question, in no particular order.
    """

    def __init__(self, *objects: Object) -> None:
        super().__init__(*objects)
        self.forbidden: set[str] = set()
        self.unserved: set[str] = set()
        self.forbidden_everywhere = False
        self.silent: set[str] = set()
        self.denied: set[str] = set()
        self.asked: list[str] = []
        self.end = threading.Event()

    @property
    def server(self) -> str:
        return "https://stub"

    def serves(self, api_version: str, kind: str) -> bool:
        return not {api_version, kind} & self.unserved

    def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
        self.asked.append(f"{'try' if dry_run else 'apply'} {obj['kind']}")
        return obj

    def list(
        self, api_version: str, kind: str, *, namespace: str | None = None, **_: object
    ) -> list[Object]:
        self.asked.append(f"list {api_version} {kind} {namespace}")
        if kind in self.forbidden or (self.forbidden_everywhere and namespace is None):
            raise ApiError(f"GET {kind}", 403, '{"reason": "Forbidden", "message": "no"}')
        if kind in self.silent:
            self.end.wait()
        return super().list(api_version, kind, namespace=namespace)

    def logs(
        self,
        pod: PodRef,
        *,
        container: str | None = None,
        previous: bool = False,
        since: str = "",
        **_: object,
    ) -> str:
        self.asked.append(f"logs {pod} {container} {previous} {since}".rstrip())
        return self.last_log

    def can_i(self, verb: str, group: str, resource: str, namespace: str | None = None) -> bool:
        self.asked.append(f"can {verb} {resource} {namespace}")
        if verb == "*":
            return not self.denied
        return f"{verb} {resource}" not in self.denied
