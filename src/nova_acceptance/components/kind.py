"""What a room brings: a kind of component with its spec, rules, answers, client and checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from nova_acceptance.components.candidate import Candidate, Drafted
from nova_acceptance.components.peril import Holding
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system import Component, SecretKey, Url
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript

Rule = Callable[[Snapshot], Iterable[Finding]]
"""Finds what is wrong by looking at a snapshot of the API."""
Answer = Callable[[BaseException], Finding | None]
"""Says what an error shows; None where it is of another kind."""


class Access(Protocol):
    """What a client of a component may ask for to reach it."""

    @property
    def kube(self) -> Kube:
        """The cluster's API."""

    @property
    def transcript(self) -> Transcript:
        """Takes down what is asked and what comes back."""

    def pods(self, component: Component) -> Sequence[PodRef]:
        """Return the component's pods, in the order of their names."""

    def to_service(self, component: Component) -> Route:
        """Return the route to a component through the Service by which clients connect.

        Raises:
            FindingError: it is closed, with the cause that this shows.
        """

    def to_role(self, component: Component, role: str) -> Route:
        """Return the route to the members of a component in a role, through their Service.

        Raises:
            FindingError: it is closed, with the cause that this shows.
        """

    def to_pod(self, pod: PodRef, port: int) -> Route:
        """Return the route to a port of a pod itself."""

    def password(self, component: Component, home: SecretKey) -> str:
        """Return what a Secret of the component's namespace holds.

        Raises:
            ProbeError: it holds no such key.
        """


ALONE: Final = ((),)
"""In the place of parts: a check that is given the client and nothing else."""


def where(
    holds: Callable[[Any], bool], parts: Iterable[Any] | None = None
) -> Callable[[Any], Iterable[Any]]:
    """Return the parts of a check of components with some trait: these, or the component itself."""

    def chosen(component: Any) -> Iterable[Any]:
        if not holds(component):
            return ()
        return (component,) if parts is None else parts

    return chosen


@dataclass(frozen=True, slots=True)
class Check:
    """One fact about a component, asked of a client.

    Attributes:
        finds: returns what is wrong, given the client and the part that is asked about; nothing
            where the fact holds.
        parts: over which parts of the component it runs; by itself over the component as a whole.
        writes: whether it changes anything, be it for a moment.
    """

    finds: Callable[..., Iterable[Finding]]
    parts: Callable[[Any], Iterable[Any]] = lambda component: (component,)
    writes: bool = False

    @property
    def name(self) -> str:
        """The name of the fact."""
        return getattr(self.finds, "__name__", "check")


@dataclass(frozen=True, slots=True)
class ComponentCheck:
    """A check of one component, about one part of it.

    Attributes:
        component: whose client is asked.
        check: what is asked.
        part: what it is about: the component itself, or a part of it.
    """

    component: Component
    check: Check
    part: Any

    @property
    def writes(self) -> bool:
        """Whether it changes anything, be it for a moment."""
        return self.check.writes

    @property
    def name(self) -> str:
        """The component, what would be found, and about what."""
        part = getattr(self.part, "name", self.part)
        about = () if self.part in (self.component, *ALONE) else (str(part),)
        return "-".join((self.component.name, self.check.name, *about))

    def found(self, client: Any) -> list[Finding]:
        """Return what is wrong; nothing where the fact holds."""
        about = () if self.part in ALONE else (self.part,)
        return list(self.check.finds(client, *about))


@dataclass(frozen=True, slots=True)
class UrlTrial:
    """A URL that a component is configured with, ready to be tried from its own pod.

    Attributes:
        url: where it is and what it leads to.
        owner: the component that it leads to.
        user: whom it names.
        password: the one in it.
        path: what follows the host, without its slash.
        route: from the pod to where it points.
        transcript: takes down what is asked.
        client: makes or returns a client of the owner, to ask it what a URL's login may not.
        scheme: its protocol, without the driver's name.
        options: its query; never shown.
    """

    url: Url
    owner: Any
    user: str
    password: str = field(repr=False)
    path: str
    route: Route
    transcript: Transcript
    client: Callable[[], Any]
    scheme: str = ""
    options: Mapping[str, str] = field(default_factory=dict, repr=False)


class Clients(Protocol):
    """The clients of each component."""

    def of(self, component: Component, name: str = "") -> Any:
        """Return one of the clients that the component's kind makes, made when first wanted.

        Args:
            component: the component.
            name: see `Kind.clients`; that of the kind where it is empty.
        """


Connect = Callable[[Access, Clients, Any], Any]
"""Makes a client of a component, given how it is reached and the clients that there are."""


class Urls(Protocol):
    """The checks of a URL of a kind, by trying it."""

    def locked_out(self, trial: UrlTrial) -> list[Finding]:
        """Find why its credentials do not lead to what is used."""

    def accepted_wrong_password(self, trial: UrlTrial) -> list[Finding]:
        """Find that another password is as good."""


@dataclass(frozen=True, slots=True)
class Drafting:
    """How a kind finds itself in a system that no nova.yaml describes.

    Attributes:
        recognises: returns how sure it is that a workload runs a component of the kind: 0 where
            it does not, 1 where nothing speaks against it, more the more speaks for it.
        draft: returns what nova.yaml says of that component; what can be asked of it by its own
            protocol is asked where there is a way to it, and changes nothing there.
    """

    recognises: Callable[[Candidate], int]
    draft: Callable[[Candidate, Access | None], Drafted]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of component.

    Attributes:
        name: what `kind` says in nova.yaml.
        spec: its part of the file.
        beforehand: rules that hold for rendered manifests as well as for a live system.
        live: rules that look at what the cluster says of itself.
        reads: kinds of objects that no other rules read, and these where a component of the kind
            is: whoever may not list them elsewhere lacks nothing there.
        answer: what an error of its client shows.
        connect: makes a client of a component; what it returns may have a `close`.
        beside: makes further clients of a component, by the name of the argument by which a test
            asks for one: of what runs beside it in its pods, or of itself by another way.
        urls: how URLs that lead to it are tried; None where it has none.
        components: which components a test runs over, by the name of its argument.
        parts: over which parts of a component a test runs, by the name of its argument.
        fixtures: the module of its pytest fixtures, which acceptance runs load; none where empty.
        markers: markers of its tests, with what they mean.
        checks: what `nova-cluster diagnose` asks a component of the kind. The acceptance suite asks
            it, too, where it has no tests of its own: of a kind that another package brings.
        drafting: how `nova-cluster draft` recognises and describes it; None: it never does.
        holding: asks a component, given its client, what speaks against the loss of one of its
            pods now; None where it has nothing to say of itself.
        clear: removes what tests have left in a component that were killed, given its client and
            the component, and returns its names; None where tests leave nothing.
    """

    name: str
    spec: type[Component]
    beforehand: tuple[Rule, ...] = ()
    live: tuple[Rule, ...] = ()
    reads: tuple[str, ...] = ()
    answer: Answer = lambda _error: None
    connect: Callable[[Access, Any], Any] | None = None
    beside: Mapping[str, Connect] = field(default_factory=dict)
    urls: Urls | None = None
    components: Mapping[str, Callable[[Any], bool]] = field(default_factory=dict)
    parts: Mapping[str, Callable[[Any], Iterable[Any]]] = field(default_factory=dict)
    fixtures: str = ""
    markers: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    drafting: Drafting | None = None
    holding: Callable[[Access, Any, Any, PodRef], Holding] | None = None
    clear: Callable[[Any, Any], Sequence[str]] | None = None

    @property
    def clients(self) -> Mapping[str, Connect]:
        """What makes the clients of a component, by the names of the arguments of tests."""
        own = self.connect
        if own is None:
            return self.beside
        return {
            self.name: lambda access, _clients, component: own(access, component),
            **self.beside,
        }

    @property
    def room(self) -> str:
        """The name of its folder, which its family of causes has, too."""
        return self.spec.__module__.split(".")[-2]
