"""The values of Nova's Secrets, for connecting with them; never for showing them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Self

from nova_acceptance import secrecy
from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import ApiError, Kube, Object
from nova_acceptance.system import System, parts
from nova_acceptance.vantage.at_once import of_each

_DECODED: Final[Mapping[str, Callable[[str], bytes]]] = {
    "Secret": base64.b64decode,
    "ConfigMap": str.encode,
}
"""The kinds that hold values, and how these are written in them."""


def plain_keys(system: System) -> frozenset[str]:
    """Return the keys of Secrets that hold where something outside is, and no secret."""
    return frozenset(url.key for url in parts.urls(system, inside=False))


class SecretValues:
    """What the Secrets and ConfigMaps of some namespaces hold, read once.

    What this user may not read is missing only to those who want it.

    Args:
        kube: the API.
        namespaces: where they are.
        plain: keys whose values are no secrets unless they are URLs with a password.
        told: what nova.yaml calls passwords: namespace, Secret and key.
    """

    def __init__(
        self,
        kube: Kube,
        namespaces: tuple[str, ...],
        plain: frozenset[str],
        told: frozenset[tuple[str, str, str]] = frozenset(),
    ) -> None:
        self._plain = plain
        self._told = told
        self._values: dict[tuple[str, str, str, str], bytes] = {}
        self._forbidden: dict[tuple[str, str], ApiError] = {}
        wanted = [(kind, namespace) for namespace in namespaces for kind in _DECODED]
        asked = of_each(wanted, lambda each: self._listed(kube, *each))
        for (kind, namespace), listed in asked.items():
            for found in listed.result():
                for key, value in (found.get("data") or {}).items():
                    where = kind, namespace, found["metadata"]["name"], key
                    self._values[where] = _DECODED[kind](value)

    def _listed(self, kube: Kube, kind: str, namespace: str) -> list[Object]:
        try:
            return kube.list("v1", kind, namespace=namespace)
        except ApiError as error:
            if not error.forbidden:
                raise
            self._forbidden[kind, namespace] = error
            return []

    @classmethod
    def of(cls, kube: Kube, system: System) -> Self:
        """Return what the namespaces of a system hold."""
        return cls(kube, system.namespaces, plain_keys(system), parts.passwords(system))

    def text(self, kind: str, namespace: str, name: str, key: str) -> str:
        """Return one value.

        Raises:
            ProbeError: there is none, so nothing can be asked with it.
            ApiError: this user may not read it.
        """
        if refused := self._forbidden.get((kind, namespace)):
            raise refused
        value = self._values.get((kind, namespace, name, key))
        if value is None:
            raise ProbeError(
                f"{kind} {namespace}/{name} has no key {key}",
                hint="deploy without --no-deploy, or create it as manifests/README.md says",
            )
        return value.decode("utf-8", "replace")

    def to_mask(self) -> Iterator[str]:
        """Yield what nobody may see of the values, in every part that may appear by itself."""
        for (kind, *where, key), value in self._values.items():
            text = value.decode("utf-8", "replace")
            if (*where, key) in self._told:
                yield from secrecy.of_login(text)
            else:
                is_public = kind == "ConfigMap" or key in self._plain
                yield from secrecy.secrets_of(key, text, is_public=is_public)
