"""A collection of the API followed for ever: list, watch, resume, and list again."""

from __future__ import annotations

import http.client
import json
import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from nova_node.api import Api, ApiError, Object

WATCH_SECONDS: Final = 300
"""The server ends a watch after this long; it is then resumed where it ended."""
RETRY_SECONDS: Final = 0.3
"""Before the next attempt when the API could not be asked; drawn from half to one and a half."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Change:
    """What became of one object.

    Args:
        key: "namespace/name", or "/name" for an object without a namespace.
        obj: the object as it is now; None when it is gone.
    """

    key: str
    obj: Object | None


class _GoneError(Exception):
    """The server no longer knows the version from which to resume."""


def follow(api: Api, path: str) -> Iterator[Sequence[Change]]:
    """Changes of the collection at `path`, for ever, in batches.

    The first batch is the whole list. After a gap that the server cannot bridge the
    collection is listed again, and the batch says what became of everything: objects that
    vanished meanwhile are in it as gone. While the API is away nothing is yielded.
    See "Efficient detection of changes" in the Kubernetes API concepts.
    """
    known: set[str] = set()
    version = ""
    trouble = ""
    while True:
        try:
            if not version:
                listed = api.get(path)
                version = listed["metadata"]["resourceVersion"]
                batch = [Change(key_of(obj), obj) for obj in listed.get("items") or ()]
                present = {change.key for change in batch}
                batch += [Change(key, None) for key in known - present]
                known = present
                yield batch
            for reached, change in _watch(api, path, version):
                version, trouble = reached, ""
                if change is not None:
                    (known.discard if change.obj is None else known.add)(change.key)
                    yield [change]
        except _GoneError:
            version = ""
        except (ApiError, OSError, http.client.HTTPException, ValueError) as error:
            if str(error) != trouble:
                trouble = str(error)
                log.warning("%s: %s", path, trouble)
        # Also after a watch that ended in order, so that an API that ends each at once
        # is not asked in a loop without a pause.
        time.sleep(RETRY_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311  not a secret


def key_of(obj: Object) -> str:
    """The key of `obj` among its kind."""
    metadata = obj["metadata"]
    return f"{metadata.get('namespace', '')}/{metadata['name']}"


def follow_in_thread(
    api: Api, path: str, deliver: Callable[[Sequence[Change]], object]
) -> threading.Thread:
    """Call `deliver` with every batch of `follow`, from a thread of its own.

    The thread ends with the process, and an error that `follow` does not foresee ends the
    process: the kubelet starts it again, and nothing stale is served by half a program.
    """

    def run() -> None:
        try:
            for batch in follow(api, path):
                deliver(batch)
        except Exception:
            log.exception("%s can no longer be followed", path)
            os._exit(1)

    thread = threading.Thread(target=run, name=f"follow {path}", daemon=True)
    thread.start()
    return thread


def _watch(api: Api, path: str, version: str) -> Iterator[tuple[str, Change | None]]:
    """Each event's resource version and change; the change of a bookmark is None."""
    query = urlencode(
        {
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": WATCH_SECONDS,
        }
    )
    separator = "&" if "?" in path else "?"
    try:
        with api.stream(f"{path}{separator}{query}") as lines:
            for line in lines:
                event = json.loads(line)
                kind, obj = event["type"], event["object"]
                if kind == "ERROR":
                    raise ApiError(obj.get("code", 0), obj.get("message", ""))
                change = None
                if kind != "BOOKMARK":
                    change = Change(key_of(obj), None if kind == "DELETED" else obj)
                yield obj["metadata"]["resourceVersion"], change
    except ApiError as error:
        if error.status == http.client.GONE:
            raise _GoneError from error
        raise
