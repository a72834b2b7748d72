"""Which of a URL's hosts its program takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nova_acceptance.components.kind import Urls, UrlTrial
from nova_acceptance.errors import NovaError
from nova_acceptance.findings import FindingError


def first_that_lets_in(
    hosts: Sequence[tuple[str, int]], at: Callable[[str, int], UrlTrial], urls: Urls | None
) -> UrlTrial:
    """Return a URL at the first of its hosts that lets in; where none does, at the first of all.

    Args:
        hosts: each with its port.
        at: makes it ready to be tried at one of them.
        urls: tries it; None where its kind has no way to.

    Raises:
        FindingError: no host can be reached, with the cause that the first one shows.
        NovaError: none could be asked.
    """
    if len(hosts) == 1 or urls is None:
        return at(*hosts[0])
    first: UrlTrial | None = None
    failure: NovaError | FindingError | None = None
    for host in hosts:
        try:
            trial = at(*host)
        except (NovaError, FindingError) as error:
            failure = failure or error
            continue
        first = first or trial
        if _lets_in(trial, urls):
            return trial
    if first is None:
        raise failure or ValueError("a URL without a host")
    return first


def _lets_in(trial: UrlTrial, urls: Urls) -> bool:
    try:
        return urls.locked_out(trial) == []
    except Exception:  # noqa: BLE001 - of whatever kind: its program goes on to the next
        return False
