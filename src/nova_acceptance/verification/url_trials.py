"""URLs of the system, tried from the pods that are configured with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

from nova_acceptance.components.kind import Clients, Urls, UrlTrial
from nova_acceptance.components.kubernetes.shapes import shape
from nova_acceptance.components.kubernetes.traits import traits_of
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.components.registry import kind_of
from nova_acceptance.components.urls import checks
from nova_acceptance.components.urls.held import HeldUrl
from nova_acceptance.components.urls.parsed import ParsedUrl
from nova_acceptance.components.urls.trying import first_that_lets_in
from nova_acceptance.findings import Finding, FindingError
from nova_acceptance.system import Url
from nova_acceptance.vantage.background import Answers, Background, answering
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.secret_values import SecretValues


def trial_of(
    text: str,
    held: HeldUrl,
    *,
    connections: Connections,
    transcript: Transcript,
    clients: Clients,
) -> UrlTrial:
    """Return a URL's trial from its component's own pod, at the host that its program takes.

    Args:
        text: the URL as it is held; it is never shown.
        held: what may be looked at of it.
        connections: from the pods to Services.
        transcript: takes down what is asked.
        clients: to ask the owner what the URL's login may not.

    Raises:
        FindingError: it is no URL, or its port is closed to the pod.
        UnaskedError: the pod cannot be asked from.
        ProbeError: it could not be asked.
    """
    for found in checks.malformed_url(held):
        raise FindingError(found)
    parsed, url = ParsedUrl.of(text, held.wanted.usual_port), held.url
    source = url.source or next(
        it for it in connections.system.components if it.namespace == held.holder.namespace
    )

    def at(host: str, port: int) -> UrlTrial:
        return UrlTrial(
            url=url,
            owner=held.owner,
            user=parsed.user,
            password=parsed.password,
            path=parsed.path,
            route=connections.to_host(connections.pods[source.name], host, port),
            transcript=transcript,
            client=lambda: clients.of(held.owner),
            scheme=parsed.scheme,
            options=parsed.options,
        )

    return first_that_lets_in(parsed.hosts, at, kind_of(held.owner).urls)


class Fact(Enum):
    """What is asked of a URL by trying it."""

    LOCKED_OUT = auto()
    ACCEPTED_WRONG_PASSWORD = auto()


@dataclass(frozen=True, slots=True)
class Tried:
    """A URL, and what is asked of it; None where it is only made ready.

    Attributes:
        place: where the URL is, what it leads to, and who connects by it.
        fact: what is asked of it.
        url: the URL, which is known by its place.
    """

    place: tuple[str, ...]
    fact: Fact | None
    url: Url = field(compare=False)

    @classmethod
    def of(cls, url: Url, fact: Fact | None = None) -> Tried:
        """Return what is asked of a URL."""
        source = url.source.name if url.source else ""
        return cls((*url.holder, url.key, url.target, source), fact, url)


class TriedUrls:
    """The URLs of a system, each tried once, by itself or ahead of the tests that read it.

    Args:
        connections: from the pods to Services.
        transcript: shows each reader what was asked.
        clients: to ask the owner what the URL's login may not.
        secrets: what the Secrets hold; never shown.
    """

    def __init__(
        self,
        connections: Connections,
        transcript: Transcript,
        clients: Clients,
        secrets: SecretValues,
    ) -> None:
        self._connections = connections
        self._transcript = transcript
        self._clients = clients
        self._secrets = secrets
        self._trials = Answers[Tried, UrlTrial](transcript, answering(self._trial))
        self._found = Answers[Tried, list[Finding]](transcript, answering(self._finds))

    def foresee(self, background: Background, urls: Iterable[Url]) -> None:
        """Try URLs that are going to be read.

        Those that lead from one component to one server are tried one after the other, on the way
        that they share; all others side by side. A database that is made beside those that URLs
        lead to is not felt there.
        """
        rounds: dict[tuple[str, str], list[Tried]] = {}
        for url in urls:
            owner = self._connections.system.owner_of(url.target)
            way = url.source.name if url.source else "", owner.name if owner else ""
            rounds.setdefault(way, []).extend(Tried.of(url, fact) for fact in Fact)
        for tried in rounds.values():
            self._found.foresee(background, tried, feels=False)

    def held(self, url: Url) -> HeldUrl:
        """Return what may be looked at of a URL.

        Raises:
            ProbeError: nothing holds it.
        """
        found = self._held(url)
        source, target = "runner", str(found.holder)
        with self._transcript.asking(f"read {url.key}", source=source, target=target) as asking:
            at = found.address
            asking.answered(f"{at.scheme}, {at}, {at.path or 'no path'}" if at else "no URL")
        return found

    def trial(self, url: Url) -> UrlTrial:
        """Return a URL that is ready to be tried: there is a way to where it points.

        Raises:
            FindingError: it is no URL, or its port is closed to the pod.
            UnaskedError: the pod cannot be asked from.
            ProbeError: it could not be asked.
        """
        return self._trials.told(Tried.of(url))

    def locked_out(self, url: Url) -> list[Finding]:
        """Find why its credentials do not lead to what is used."""
        return self._found.told(Tried.of(url, Fact.LOCKED_OUT))

    def accepted_wrong_password(self, url: Url) -> list[Finding]:
        """Find that another password is as good."""
        return self._found.told(Tried.of(url, Fact.ACCEPTED_WRONG_PASSWORD))

    def _held(self, url: Url) -> HeldUrl:
        written = self._secrets.text(*url.holder, url.key).encode()
        found = HeldUrl.of(url, self._connections.system, shape(written), traits_of(written))
        if found is None:
            raise ValueError(f"{url.name} leads to nothing that has URLs")
        return found

    def _trial(self, tried: Tried) -> UrlTrial:
        url = tried.url
        return trial_of(
            self._secrets.text(*url.holder, url.key),
            self._held(url),
            connections=self._connections,
            transcript=self._transcript,
            clients=self._clients,
        )

    def _finds(self, tried: Tried) -> list[Finding]:
        # how it was made ready is shown by itself
        trial = self._trials.got(Tried.of(tried.url))
        urls: Urls | None = kind_of(trial.owner).urls
        if urls is None:
            raise ValueError(f"components of kind {trial.owner.kind} have no URLs")
        if tried.fact is Fact.LOCKED_OUT:
            return urls.locked_out(trial)
        return urls.accepted_wrong_password(trial)
