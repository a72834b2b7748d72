"""What can be seen to go wrong before the first write.

The rendered objects are laid over what the cluster holds, and the rules that look at
specifications and abilities alone are asked about them; the API is asked whether it serves every
kind, and whether this user may do what a deployment does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Final, NamedTuple

from nova_acceptance.components.kubernetes.graph import Graph
from nova_acceptance.components.kubernetes.shapes import without_values
from nova_acceptance.deploy.definitions import Defined, GroupKind, defined, group_kind
from nova_acceptance.deploy.outcome import told
from nova_acceptance.deploy.ownership import foreign, namespaces_defined
from nova_acceptance.deploy.phases import refused
from nova_acceptance.deploy.watches import watched
from nova_acceptance.diagnosis import Explanation, beforehand
from nova_acceptance.diagnosis.ranking import ranked
from nova_acceptance.errors import DeployError, RefusedError
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import ApiError, Kube, Object
from nova_acceptance.kube.kinds import KINDS, version_served
from nova_acceptance.kube.refusals import verbs_into_pods
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

_AT_ONCE: Final = 16
_OF_THE_OBJECT: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
_APPLYING: Final = ("create", "patch")
"""What a server-side apply needs: the one where the object is new, the other where it is not."""
_WATCHING: Final = ("list", "watch")
_INTO_PODS: Final = ("pods/exec", "pods/portforward")
"""What asking the pods needs by WebSocket, in each namespace, besides their logs."""


class PreflightError(DeployError):
    """The objects cannot become ready on this cluster; nothing has been written.

    Attributes:
        explanation: why, the deepest cause first.
    """

    def __init__(self, explanation: Explanation) -> None:
        root = explanation.causes[0].root
        super().__init__(
            explanation.headline,
            hint=root.cure or root.meaning.cure,
            evidence=("nothing has been written to the cluster", *told(explanation)),
        )
        self.explanation = explanation


class ForeignError(PreflightError, RefusedError):
    """Some of it is there, and somebody else's: the suite does not write there."""


class _Right(NamedTuple):
    """Something that a deployment or a verification does."""

    verb: str
    group: str
    resource: str
    namespace: str

    @property
    def phrase(self) -> Phrase:
        """What it is, as a part of a sentence."""
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        if not self.namespace:
            return Phrase("{verb} {resource}", verb=self.verb, resource=resource)
        return Phrase(
            "{verb} {resource} in {namespace}",
            verb=self.verb,
            resource=resource,
            namespace=self.namespace,
        )


def preflight(kube: Kube, objects: Sequence[Object], base: Snapshot) -> list[Finding]:
    """Return what is wrong with the objects and does not keep them from becoming ready.

    Args:
        kube: the API; it is asked, and nothing is written.
        objects: what is about to be applied, Secrets with their values.
        base: what the cluster holds and can, in the namespaces concerned and of itself.

    Raises:
        PreflightError: they cannot become ready; its first line is the deepest cause.
        ForeignError: the same, and some of what is there is somebody else's.
        ClusterError: the API did not answer.
    """
    snapshot = laid_over(base, objects)
    graph = Graph(snapshot)
    reached = graph.reach(map(ref, objects))
    found = [each for each in beforehand(snapshot) if each.subject in reached]
    strange = foreign(kube, objects)
    found += strange
    found += _without_namespace(objects, base)
    found += _api_findings(kube, objects, base)
    # What is somebody else's is not asked about: it would be refused for what it is.
    others = {each.subject for each in strange}
    found += _refused_beforehand(kube, [it for it in objects if ref(it) not in others], base)
    lost = [each for each in found if each.grace is not None]
    if lost:
        causes = ranked(lost, graph)
        chain = graph.chain(map(ref, objects), causes[0].root.subject)
        kind = ForeignError if strange else PreflightError
        raise kind(Explanation(causes, tuple(chain)))
    return [each.root for each in ranked(found, graph)]


def laid_over(base: Snapshot, objects: Sequence[Object]) -> Snapshot:
    """Return a snapshot in which rendered objects have taken the places of those on the cluster.

    They keep the identity of what they replace, so that its pods are still theirs. Of Secrets it
    holds the shapes of their values.
    """
    snapshot = Snapshot(
        listed=set(base.listed),
        logs=dict(base.logs),
        unread=list(base.unread),
        system=base.system,
    )
    for where in base.refs():
        if obj := base.at(where):
            snapshot.update("ADDED", obj, fresh=False)
    for obj in objects:
        wanted = without_values(obj) if obj["kind"] == "Secret" else obj
        if live := base.at(ref(obj)):
            identity = {"uid": live["metadata"].get("uid", "")}
            wanted = {**wanted, "metadata": {**wanted["metadata"], **identity}}
        snapshot.update("ADDED", wanted, fresh=False)
    return snapshot


def _refused_beforehand(kube: Kube, objects: Sequence[Object], base: Snapshot) -> Iterator[Finding]:
    """Yield what the API says it would refuse, of the objects whose namespace is there already.

    It is asked by applies that write nothing. A webhook that cannot be asked so, a missing right
    and a kind that is not served, or not yet, are no refusal of the object itself.
    """

    def tried(obj: Object) -> ApiError | None:
        try:
            kube.apply(obj, dry_run=True)
        except ApiError as error:
            said = " ".join((error.detail, *error.causes)).lower()
            is_meant = error.status in _OF_THE_OBJECT and "dry run" not in said
            return error if is_meant else None
        return None

    there = [
        obj
        for obj in objects
        if obj["kind"] != "Namespace"
        and _has_place(obj, base)
        and kube.serves(obj["apiVersion"], obj["kind"])
    ]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="preflight") as pool:
        for obj, error in zip(there, pool.map(tried, there), strict=True):
            if error:
                yield refused(obj, error)


def _api_findings(kube: Kube, objects: Sequence[Object], base: Snapshot) -> list[Finding]:
    plurals: dict[tuple[str, str], str | None] = {}
    for obj in objects:
        kind = obj["apiVersion"], obj["kind"]
        if kind not in plurals:
            plurals[kind] = kube.plural(*kind)
    kinds = defined(objects)
    unserved = [
        obj
        for obj in objects
        if plurals[obj["apiVersion"], obj["kind"]] is None
        and not ((own := kinds.get(group_kind(obj))) and own.serves(obj["apiVersion"]))
    ]
    return [*_not_served(kube, unserved, kinds), *_rights_missing(kube, objects, plurals, base)]


def _not_served(
    kube: Kube, unserved: Sequence[Object], kinds: Mapping[GroupKind, Defined]
) -> Iterator[Finding]:
    by_kind: dict[tuple[str, str], list[Object]] = {}
    for obj in unserved:
        by_kind.setdefault((obj["apiVersion"], obj["kind"]), []).append(obj)
    if not by_kind:
        return
    yield Finding(
        "KIND_NOT_SERVED",
        ref(unserved[0]),
        Phrase(
            "the cluster does not serve {kinds}",
            kinds=[
                _unserved_kind(version, kind, of_it, _served_instead(kube, of_it[0], kinds))
                for (version, kind), of_it in by_kind.items()
            ],
        ),
        evidence=tuple(str(ref(obj)) for obj in unserved),
        grace=0,
    )


def _unserved_kind(
    version: str, kind: str, objects: Sequence[Object], instead: Sequence[str]
) -> Phrase:
    told = {"kind": kind, "version": version, "objects": [ref(obj) for obj in objects]}
    if instead:
        return Phrase(
            "{kind} of {version} but of {served} ({objects})", served=list(instead), **told
        )
    return Phrase("{kind} of {version} nor of any other ({objects})", **told)


def _served_instead(kube: Kube, obj: Object, kinds: Mapping[GroupKind, Defined]) -> Sequence[str]:
    """Return the versions in which an object's kind is, or will be, served."""
    if own := kinds.get(group_kind(obj)):
        return [f"{own.group}/{version}" for version in own.versions]
    return kube.versions_of(obj["kind"])


def _without_namespace(objects: Sequence[Object], base: Snapshot) -> Iterator[Finding]:
    """Yield the namespaces that objects name, and that are neither there nor among them."""
    if not base.knows("Namespace"):
        return
    own = namespaces_defined(objects)
    lost: dict[str, list[Ref]] = {}
    for obj in objects:
        name = obj["metadata"].get("namespace")
        if name and name not in own and base.get("Namespace", "", name) is None:
            lost.setdefault(name, []).append(ref(obj))
    for name, refs in lost.items():
        yield Finding(
            "NAMESPACE_UNDEFINED",
            Ref("Namespace", "", name),
            Phrase(
                "there is no namespace {name}, into which {object} belongs",
                name=name,
                object=refs[0],
            ),
            evidence=tuple(map(str, refs)),
            grace=0,
        )


def _has_place(obj: Object, base: Snapshot) -> bool:
    """Whether the object is in no namespace, or in one that is there."""
    namespace = obj["metadata"].get("namespace")
    return not namespace or base.get("Namespace", "", namespace) is not None


def _rights_missing(
    kube: Kube,
    objects: Sequence[Object],
    plurals: dict[tuple[str, str], str | None],
    base: Snapshot,
) -> Iterator[Finding]:
    """Yield what this user may not do: one question where it may do everything.

    A Role can let its own namespace be changed; to make one is a right over the whole cluster.
    """
    if kube.can_i("*", "*", "*"):
        return
    wanted: dict[_Right, Ref] = {}
    for obj in objects:
        plural = plurals[obj["apiVersion"], obj["kind"]]
        group, slash, _ = obj["apiVersion"].partition("/")
        if plural:
            is_there = obj["kind"] == "Namespace" and base.at(ref(obj)) is not None
            for verb in _APPLYING[1:] if is_there else _APPLYING:
                own = obj["metadata"]["name"] if is_there else ""
                namespace = obj["metadata"].get("namespace", own)
                right = _Right(verb, group if slash else "", plural, namespace)
                wanted.setdefault(right, ref(obj))
    namespaces = {right.namespace: where for right, where in wanted.items() if right.namespace}
    verbs = verbs_into_pods(kube.server_version)
    verifying = [("get", "pods/log"), *((verb, to) for to in _INTO_PODS for verb in verbs)]
    for namespace, where in namespaces.items():
        for verb, resource in verifying:
            wanted.setdefault(_Right(verb, "", resource, namespace), where)
    for kind, namespace in watched(kube, objects):
        version = version_served(kube, kind) or KINDS[kind].versions[0]
        group, slash, _ = version.partition("/")
        if plural := kube.plural(version, kind):
            for verb in _WATCHING:
                right = _Right(verb, group if slash else "", plural, namespace)
                wanted.setdefault(right, namespaces[namespace])
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="right") as pool:
        allowed = dict(zip(wanted, pool.map(lambda right: _may(kube, right), wanted), strict=True))
    refused = [right for right in wanted if not allowed[right]]
    if refused:
        first, more = refused[0].phrase, len(refused) - 1
        sentence = (
            Phrase(
                "the kubeconfig's user may not {right} (and {more} more rights)",
                right=first,
                more=more,
            )
            if more
            else Phrase("the kubeconfig's user may not {right}", right=first)
        )
        yield Finding(
            "RIGHTS_MISSING",
            wanted[refused[0]],
            sentence,
            evidence=tuple(f"not allowed: {right.phrase}" for right in refused),
            grace=0,
        )


def _may(kube: Kube, right: _Right) -> bool:
    return kube.can_i(right.verb, right.group, right.resource, right.namespace or None)
