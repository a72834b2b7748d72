"""Who uses what, and by which key and variable each is told where that is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from nova_acceptance.components.candidate import Candidate, Link
from nova_acceptance.components.kubernetes.variables import Given
from nova_acceptance.components.kubernetes.workloads import references
from nova_acceptance.components.urls import checks
from nova_acceptance.components.urls.held import HeldUrl
from nova_acceptance.draft.candidates import Outward
from nova_acceptance.findings import Ref, ref
from nova_acceptance.system import Component, System, Url

_TAIL: Final = re.compile(
    r"-(ur[li]s?|dsn|hosts?|hostname|brokers?|endpoints?|addr(ess(es)?)?|servers?|bootstrap|nodes?"
    r"|connection|string|base|service|cluster|port|list)$"
)

_VARIABLE: Final = re.compile(r"[-._a-zA-Z0-9]+")


@dataclass(frozen=True, slots=True)
class Told:
    """One use, and how the component is told where that is.

    Attributes:
        target: what is used, by the name that a use has for it.
        holder: the ConfigMap or Secret; None where nothing holds it that nova.yaml can name.
        key: the key in it.
        variables: the variables by which a container gets it.
    """

    target: str
    holder: Ref | None = None
    key: str = ""
    variables: tuple[str, ...] = ()

    @property
    def env(self) -> str:
        """The variable that is told: the one of the key's name, if there is one."""
        return self.key if self.key in self.variables else next(iter(self.variables), "")


@dataclass(slots=True)
class Uses:
    """All uses of a system.

    Attributes:
        by_component: the uses of each component, by its name.
        remarks: what a person has to look at, by the component's name.
        open: who must reach whom besides, as pairs of components' names.
        external: the systems outside, each with the host and port that are no secret.
        addresses: ConfigMaps that tell everybody where everything is.
    """

    by_component: dict[str, list[Told]] = field(default_factory=dict)
    remarks: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    open: list[tuple[str, str]] = field(default_factory=list)
    external: dict[str, tuple[str, int] | None] = field(default_factory=dict)
    addresses: dict[Ref, set[str]] = field(default_factory=lambda: defaultdict(set))


def uses_of(candidates: Sequence[Candidate], outward: Iterable[Outward], system: System) -> Uses:
    """Return who uses what.

    Args:
        candidates: those that a component was made of.
        outward: the addresses outside of the system.
        system: the components, without their uses.
    """
    found = Uses()
    reader = _Reader(system, _shared(candidates), found)
    names = {ref(each.workload): each.name for each in candidates}
    components = {each.name: each for each in system.components}
    for each in candidates:
        own: list[Told] = []
        for link in each.outgoing:
            owner = components.get(each.behind[link.service])
            if owner is not None and owner.name != each.name:
                own += reader.told(each, link, owner)
        found.by_component[each.name] = own
        found.remarks[each.name] += reader.unread(each)
    taken = {name for it in system.components for name in (it.name, *it.targets)}
    for out in outward:
        if name := names.get(out.source):
            target = _external(out, taken, found)
            found.by_component[name].append(_by(out.given, target))
    for name, listed in found.by_component.items():
        found.by_component[name] = _merged(listed, list(components), system)
    return found


def _shared(candidates: Iterable[Candidate]) -> set[Ref]:
    """Return the objects that are given to several workloads with all of their keys."""
    users: dict[Ref, set[str]] = defaultdict(set)
    for each in candidates:
        for given in each.given:
            if given.is_whole:
                users[given.holder].add(each.name)
    return {holder for holder, names in users.items() if len(names) > 1}


@dataclass(frozen=True, eq=False)
class _Reader:
    """What tells a link's use: the components, and what is given to everybody."""

    system: System
    shared: set[Ref]
    found: Uses

    def told(self, candidate: Candidate, link: Link, owner: Component) -> Iterator[Told]:
        """Yield the use that a link shows; none where it shows something else."""
        if link.address.is_in_text:
            self._open(candidate, owner)
        elif not owner.targets:
            self._open(candidate, owner)
            self._unnamed(candidate, link, owner)
        elif not any(owner.url(target) for target in owner.targets):
            if link.given.is_whole and link.given.holder in self.shared:
                self.found.addresses[link.given.holder].add(owner.name)
            else:
                yield _by(link.given, _name(owner.name, owner, self.system))
        elif target := _target(link, owner):
            yield self._of_target(candidate, link, _name(target, owner, self.system))
        else:
            self._unnamed(candidate, link, owner)

    def _open(self, candidate: Candidate, owner: Component) -> None:
        """Say that one must reach the other, where nothing else says so."""
        pair = candidate.name, owner.name
        needs = self.system.component(candidate.name).needs
        if pair not in self.found.open and owner.name not in needs:
            self.found.open.append(pair)

    def _unnamed(self, candidate: Candidate, link: Link, owner: Component) -> None:
        self.found.remarks[candidate.name].append(
            f"{link.given.holder}, {link.given.key}, leads to {owner.name}, and to nothing in it"
            " that nova.yaml can name."
        )

    def unread(self, candidate: Candidate) -> Iterator[str]:
        """Yield what a component is given that could not be read, its own passwords aside."""
        own = {home.secret for home in self.system.component(candidate.name).secrets}
        for holder in dict.fromkeys(each.target for each in references(candidate.workload)):
            is_read = candidate.snapshot.knows(holder.kind, holder.namespace)
            is_own = holder.kind == "Secret" and holder.name in own
            if holder.kind in ("ConfigMap", "Secret") and not is_read and not is_own:
                yield (
                    f"It is given {holder}, which could not be read: say here what it uses by that."
                )

    def _of_target(self, candidate: Candidate, link: Link, target: str) -> Told:
        """Return a use with where it is told, if that is a URL as nova.yaml means it."""
        told = _by(link.given, target)
        if told.holder and link.is_url_alone:
            written = Url(told.holder, told.key, target, self.system.component(candidate.name))
            held = HeldUrl.of(written, self.system, link.given.shape)
            differing = list(checks.differing_url(held)) if held else []
            if held and not differing:
                return told
            self.found.remarks[candidate.name] += [str(each.summary) for each in differing]
        return replace(told, holder=None, key="")


def _target(link: Link, owner: Component) -> str | None:
    """Return which of a component's targets a link leads to."""
    urls = {target: url for target in owner.targets if (url := owner.url(target))}
    path = link.address.path.strip("/")
    fitting = [name for name, url in urls.items() if url.path in (None, path)]
    if not fitting and len(urls) == 1 and not path:
        return next(iter(urls))  # told apart from its database, by several variables
    return next(iter(fitting), None)


def _by(given: Given, target: str) -> Told:
    if given.is_spelled_out:
        return Told(target)
    is_told = bool(_VARIABLE.fullmatch(given.name))
    return Told(target, given.holder, given.key, (given.name,) if is_told else ())


def _name(target: str, owner: Component, system: System) -> str:
    """Return by which name a target is used: with its component's where another has the same."""
    others = [it for it in system.components if target in it.targets and it.name != owner.name]
    return f"{owner.name}/{target}" if others else target


def _merged(listed: Iterable[Told], order: list[str], system: System) -> list[Told]:
    """Return each use once, in the order of the components, systems outside last."""
    by_place: dict[tuple[str, Ref | None, str], Told] = {}
    first: dict[tuple[Ref | None, str], str] = {}
    for told in listed:
        is_first = first.setdefault((told.holder, told.key), told.target) == told.target
        # one key that leads to several is no URL of any of them
        each = told if is_first or told.holder is None else Told(told.target)
        where = each.target, each.holder, each.key
        known = by_place.get(where, replace(each, variables=()))
        by_place[where] = replace(
            known, variables=tuple(dict.fromkeys((*known.variables, *each.variables)))
        )
    placed = {each.target for each in by_place.values() if each.holder}

    def place(each: Told) -> int:
        owner = system.owner_of(each.target)
        return order.index(owner.name) if owner else len(order)

    kept = [it for it in by_place.values() if it.holder or it.target not in placed]
    return sorted(kept, key=place)


def _external(out: Outward, taken: set[str], found: Uses) -> str:
    """Return the name of a system outside: what its key or variable calls it."""
    address = out.address
    name = re.sub(r"[^a-z0-9]+", "-", (out.given.key or out.given.name).lower()).strip("-")
    while shorter := _TAIL.sub("", name):
        if shorter == name:
            break
        name = shorter
    if name in taken:
        name = f"{name}-outside"
    host = None
    if out.given.holder.kind != "Secret" and address.port:
        host = address.host, address.port
    found.external[name] = found.external.get(name) or host
    return name
