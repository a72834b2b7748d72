"""Whether a cluster looks like one that people depend on: by what it and its parts are called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

_WORD: Final = re.compile(r"[a-z0-9]+")
_PRODUCTION: Final = re.compile(r"(?:prod|prd|production|live)\d*")
_NOT_YET: Final = frozenset({"non", "not", "pre"})
"""Before one of those words they say the contrary: `non-prod`, `pre-production`."""
_KEYS: Final = frozenset({"env", "environment", "stage", "tier", "landscape"})
"""What the label of an environment is called, in any of the words of its name."""
_NO: Final = frozenset({"false", "no", "0"})


def is_production(name: str) -> bool:
    """Whether a name says `production`, in one of its words: `eu-prod-1`, and not `product-dev`."""
    words = _WORD.findall(name.lower())
    return any(
        _PRODUCTION.fullmatch(word) and before not in _NOT_YET
        for before, word in zip(("", *words), words, strict=False)
    )


def of_labels(labels: Mapping[str, str]) -> Iterator[str]:
    """Yield the labels that say so: `environment=production`, or `example.com/production=true`."""
    for key, value in labels.items():
        name = key.rpartition("/")[2]
        is_of_environment = not _KEYS.isdisjoint(_WORD.findall(name.lower()))
        says = is_of_environment and is_production(value)
        if says or (is_production(name) and value.lower() not in _NO):
            yield f"{key}={value}"


def signs(names: Mapping[str, str], labels: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return what says that a cluster is in production, each with where it is said.

    Args:
        names: what the cluster is called, by who calls it so.
        labels: the labels of its objects, by the object.
    """
    return list(_signs(names, labels))


def _signs(names: Mapping[str, str], labels: Mapping[str, Mapping[str, str]]) -> Iterable[str]:
    for who, name in names.items():
        if is_production(name):
            yield f"{who}: {name}"
    for whose, of_it in labels.items():
        for label in of_labels(of_it):
            yield f"{whose}: label {label}"
