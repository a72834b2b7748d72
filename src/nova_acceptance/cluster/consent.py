"""Whether anything may be written to a cluster: asked once, before the first write.

A local cluster is free to use. Any other is written to once its user has named it, and as long as
it is the one that was named: by its context, its API's address, and the UID of its namespace
kube-system. What looks like production, or is reached by a user who may do everything, takes that
UID in every run.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from nova_acceptance.cluster.consents import Consent, Consents
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.identity import Identity, Target, target_of
from nova_acceptance.cluster.lock import exclusive
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.errors import RefusedError
from nova_acceptance.kube import Kube
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Progress

OPTION: Final = "--allow-cluster"
_MOST_SIGNS: Final = 5


def require(
    cluster: Cluster,
    kube: Kube,
    allowed: str | None,
    progress: Progress,
    *,
    command: Sequence[str],
    home: Home | None = None,
) -> None:
    """See, before the first write, that a cluster may be written to; remember a consent.

    Args:
        cluster: how it was found.
        kube: its API.
        allowed: what `--allow-cluster` names: its context, or its UID.
        progress: where it is told that a consent is remembered.
        command: the command that is run, for a refusal to say it as it would do.
        home: where consents are remembered.

    Raises:
        RefusedError: it may not; nothing was written, and the hint says what makes it.
        ClusterError: the API did not answer.
    """
    if cluster.is_local:
        return
    home = home or Home.of_user()
    target = target_of(cluster, kube)
    path = home.consents
    with exclusive(home.root / "locks" / "consents", "remembering a consent", progress):
        consents = Consents(path)
        is_news = decide(
            target, allowed, consents.of(target.identity.context), without_option(command)
        )
        if is_news:
            consents.add(Consent.of(target.identity))
    if is_news:
        progress.say(f"allowed from now on: {_told(target.identity)} (remembered in {path})")


def decide(
    target: Target, allowed: str | None, remembered: Consent | None, command: Sequence[str] = ()
) -> bool:
    """Return whether the consent to write to a cluster is news, and to be remembered.

    Args:
        target: the cluster.
        allowed: what `--allow-cluster` names.
        remembered: what was allowed before under the same context.
        command: the command that is run, without that option.

    Raises:
        RefusedError: it may not be written to.
    """
    if target.is_local:
        return False
    identity = target.identity
    is_named_by_uid = bool(identity.uid) and allowed == identity.uid
    if target.is_dangerous:
        if not is_named_by_uid:
            raise _dangerous(target, command)
        return False
    if remembered is not None and remembered.is_of(identity):
        return False
    if is_named_by_uid:
        return True
    if remembered is not None:
        raise _another(identity, remembered, command)
    if allowed != identity.context:
        raise _unnamed(identity, allowed, command)
    return bool(identity.uid)  # what cannot be told from another is allowed for this run alone


def without_option(command: Sequence[str]) -> list[str]:
    """Return a command without what it allows."""
    return list(_without_option(command))


def _without_option(command: Sequence[str]) -> Iterator[str]:
    is_value = False
    for word in command:
        if not is_value and word != OPTION and not word.startswith(f"{OPTION}="):
            yield word
        is_value = word == OPTION


def _unnamed(identity: Identity, allowed: str | None, command: Sequence[str]) -> RefusedError:
    said = (
        Phrase(
            "nothing is written to {cluster}: --allow-cluster names {other}",
            cluster=_told(identity),
            other=allowed,
        )
        if allowed
        else Phrase(
            "nothing is written to {cluster}: it is not of this machine, and nobody has allowed it",
            cluster=_told(identity),
        )
    )
    hint = Phrase(
        "if it is the one that you mean: `{command}`; `pytest --read-only` changes nothing there",
        command=_with(command, identity.context),
    )
    return RefusedError(said, hint=hint, evidence=[identity.what])


def _another(identity: Identity, remembered: Consent, command: Sequence[str]) -> RefusedError:
    before = Identity(remembered.context, remembered.host, remembered.uid)
    said = Phrase(
        "nothing is written to {cluster}: the cluster allowed on {date} was another",
        cluster=_told(identity),
        date=remembered.date,
    )
    hint = Phrase(
        "if this one is meant from now on: `{command}`",
        command=_with(command, identity.uid or identity.context),
    )
    evidence = [
        Phrase("allowed: {cluster}, {what}", cluster=_told(before), what=before.what),
        Phrase("there now: {cluster}, {what}", cluster=_told(identity), what=identity.what),
    ]
    return RefusedError(said, hint=hint, evidence=evidence)


def _dangerous(target: Target, command: Sequence[str]) -> RefusedError:
    identity, signs = target.identity, target.production
    if signs:
        said = Phrase(
            "nothing is written to {cluster}: it looks like production ({sign})",
            cluster=_told(identity),
            sign=signs[0],
        )
    else:
        said = Phrase(
            "nothing is written to {cluster}: this user may do everything there",
            cluster=_told(identity),
        )
    evidence = [*signs[:_MOST_SIGNS], identity.what]
    if target.is_unlimited:
        evidence.insert(0, Phrase("this user may do everything: `*` on `*.*`"))
    if not identity.uid:
        hint = Phrase("use another cluster, or `pytest --read-only`, which changes nothing")
    elif target.is_unlimited:
        hint = Phrase(
            "use a user who has no more than the Roles of deploy/rbac/; for this run alone: "
            "`{command}`",
            command=_with(command, identity.uid),
        )
    else:
        hint = Phrase(
            "use another cluster, or `pytest --read-only`, which changes nothing; for this run "
            "alone: `{command}`",
            command=_with(command, identity.uid),
        )
    return RefusedError(said, hint=hint, evidence=evidence)


def _told(identity: Identity) -> str:
    return f"{identity.context} at {identity.host}"


def _with(command: Sequence[str], allowed: str) -> str:
    return shlex.join([*command, OPTION, allowed])
