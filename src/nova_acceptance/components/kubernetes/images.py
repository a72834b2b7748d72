"""Images: why a container's image is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from nova_acceptance.components.kubernetes import held_images
from nova_acceptance.components.kubernetes.graces import AT_ONCE, NEXT_TRY, RETURN
from nova_acceptance.components.kubernetes.pods import Ill, ill_pods, short, waits_for
from nova_acceptance.components.kubernetes.workloads import (
    KINDS,
    containers,
    statuses,
    template,
    workloads,
)
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import NOTHING, Phrase

_REFERENCE: Final = re.compile(
    r"(?:[\w.-]+(?::\d+)?/|\[[0-9a-fA-F:]+\](?::\d+)?/)?"
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::\w[\w.-]{0,127})?(?:@[A-Za-z][\w+.-]*:[0-9a-fA-F]{32,})?"
)
"""Source: https://github.com/distribution/reference/blob/main/reference.go."""


class _Answer(NamedTuple):
    what: Phrase
    pattern: str
    grace: float = AT_ONCE


_ANSWERS: Final = (
    _Answer(Phrase("it is not for this node's platform"), r"no match(ing manifest)? for"),
    _Answer(
        Phrase("the registry wants other credentials or has no such repository"),
        r"denied|unauthorized|authorization failed|authentication required|\b40[13]\b"
        r"|proper credentials",
    ),
    _Answer(
        Phrase("the registry's certificate is not trusted"), r"x509|tls: |server gave http response"
    ),
    _Answer(Phrase("its name is no reference"), r"invalid reference"),
    _Answer(Phrase("the registry's name is not known"), r"no such host"),
    _Answer(
        Phrase("the registry's name could not be asked for"),
        r"lookup |server misbehaving|name resolution",
        NEXT_TRY,
    ),
    _Answer(
        Phrase("the registry cannot be reached"),
        r"network is unreachable|connection refused|no route to host",
    ),
    _Answer(
        Phrase("the registry does not answer"), r"i/o timeout|deadline exceeded|timed out", RETURN
    ),
    _Answer(Phrase("the registry allows no more for now"), r"toomanyrequests|rate limit", RETURN),
    _Answer(
        Phrase("the registry has no such image or tag"),
        r"not found|does not exist|manifest unknown|name unknown|not known",
    ),
)
_UNSIGNED: Final = "SignatureValidationFailed"
_PULLING: Final = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", _UNSIGNED})


def image_names_invalid(snapshot: Snapshot) -> Iterator[Finding]:
    """Find templates whose image cannot be named so."""
    for workload in workloads(snapshot):
        for container in containers(template(workload)):
            image = str(container.get("image") or "")
            if image and not _REFERENCE.fullmatch(image):
                yield Finding(
                    "IMAGE_NAME_INVALID",
                    ref(workload),
                    Phrase(
                        "{workload}, container {container}: {image} is no image's name",
                        workload=ref(workload),
                        container=container["name"],
                        image=image,
                    ),
                    container=container["name"],
                    grace=AT_ONCE,
                )


def images_absent(snapshot: Snapshot) -> Iterator[Finding]:
    """Find containers that wait for an image which does not come."""
    for ill in ill_pods(snapshot):
        for entry in statuses(ill.pod):
            reason, message = waits_for(entry)
            image = str(entry.get("image") or "")
            if reason == "ErrImageNeverPull" and "credentials" in message:
                # it is there, and not for this pod (KEP-2535, from 1.33)
                yield _pull(snapshot, ill, entry)
            elif reason == "ErrImageNeverPull":
                yield _never(snapshot, ill, entry)
            elif reason in {"InvalidImageName", "ImageInspectError"}:
                what = Phrase(
                    "{image}: {what}", image=image or Phrase("its image"), what=short(message)
                )
                yield ill.finding("IMAGE_NAME_INVALID", entry, what, short(message), grace=AT_ONCE)
            elif reason in _PULLING:
                yield _pull(snapshot, ill, entry)


def _never(snapshot: Snapshot, ill: Ill, entry: dict[str, Any]) -> Finding:
    """Tell of an image that is not there and may not be pulled; with what is there instead."""
    _, message = waits_for(entry)
    image = _image(ill, entry)
    name = str(ill.pod["spec"].get("nodeName") or "")
    node = snapshot.get("Node", "", name) if name else None
    others = [each for each in held_images.holders(snapshot, image) if each != name]
    what = Phrase("its image is not on the node")
    if image and name:
        what = Phrase(
            "{image} is not on the node {node}, and imagePullPolicy is Never",
            image=image,
            node=name,
        )
    elif image:
        what = Phrase("{image} is not on the node", image=image)
    cure = NOTHING
    if image and (alike := held_images.relatives(node, image)):
        what = Phrase("{what}; the node has {alike}", what=what, alike=alike)
        cure = Phrase(
            "name in {workload}, container {container}, what the node has ({alike}), or load "
            "{image} onto it",
            workload=ill.subject,
            container=entry["name"],
            alike=alike,
            image=image,
        )
    elif image and name:
        cure = Phrase(
            "load {image} onto {node}, or set `imagePullPolicy: IfNotPresent` for container "
            "{container} of {workload}, so that it is pulled where it is not there",
            image=image,
            node=name,
            container=entry["name"],
            workload=ill.subject,
        )
    shown = [f"Node {each} has it" for each in others]
    return ill.finding(
        "IMAGE_NOT_PRESENT", entry, what, short(message), *shown, grace=AT_ONCE, cure=cure
    )


def _demanded(
    snapshot: Snapshot, ill: Ill, entry: dict[str, Any], said: str, grace: float | None
) -> Finding | None:
    """Return that a pull fails which only the policy demands: the node has the image.

    What a node does not list it may still have, so that only an image which is listed counts.
    """
    asked = next((it for it in containers(ill.pod) if it["name"] == entry["name"]), None)
    name = str(ill.pod["spec"].get("nodeName") or "")
    node = snapshot.get("Node", "", name) if name else None
    image = str((asked or {}).get("image") or "")
    if not (asked and image) or held_images.policy_of(asked) != held_images.ALWAYS:
        return None
    if waits_for(entry)[0] == _UNSIGNED:  # which keeps what is there from running as well
        return None
    if not held_images.is_held(node, image):
        return None
    in_template = containers(template(ill.workload)) if ill.workload["kind"] in KINDS else ()
    written = next((it for it in in_template if it["name"] == entry["name"]), asked)
    where = {"container": entry["name"], "workload": ill.subject, "image": image}
    if held_images.policy_of(written) != held_images.ALWAYS:
        cure = Phrase(
            "{workload}, container {container}, does not ask for it: what admits pods to the "
            "cluster does (AlwaysPullImages, or a webhook); push {image} to its registry, or have "
            "that leave the pod alone",
            **where,
        )
    elif "@" not in image and held_images.tag_of(image) in {"", "latest"}:
        cure = Phrase(
            "set `imagePullPolicy: IfNotPresent` for container {container} of {workload}, or give "
            "{image} a tag of its own: without one, or with `latest`, the policy is Always",
            **where,
        )
    else:
        cure = Phrase(
            "set `imagePullPolicy: IfNotPresent` for container {container} of {workload}", **where
        )
    what = Phrase(
        "{image} is on the node {node}, and imagePullPolicy Always asks its registry all the same",
        image=image,
        node=name,
    )
    shown = f"Node {name}: status.images lists {image}"
    return ill.finding("IMAGE_PULL_DEMANDED", entry, what, shown, said, grace=grace, cure=cure)


def _pull(snapshot: Snapshot, ill: Ill, entry: dict[str, Any]) -> Finding:
    """Judge a pull by what the registry said; the kubelet's back-off hides that in an event."""
    reason, message = waits_for(entry)
    image = _image(ill, entry)
    said = [text for text in ill.said("Failed", "InspectFailed") if image in text]
    texts = [text for text in (message, *reversed(said)) if text]
    for text in texts:
        for answer in _ANSWERS:
            # the name itself may hold the very words
            if re.search(answer.pattern, text.replace(image, "").lower()):
                # one more try before it is believed
                grace = answer.grace + (NEXT_TRY if reason == "ErrImagePull" else 0)
                what = Phrase("{image}: {what}", image=image, what=answer.what)
                if found := _demanded(snapshot, ill, entry, short(text), grace):
                    return found
                return ill.finding(
                    "IMAGE_PULL", entry, what, short(text), grace=grace, cure=_cure(ill)
                )
    text = next(iter(texts), reason)
    if found := _demanded(snapshot, ill, entry, short(text), None):
        return found
    what = Phrase("{image}: {what}", image=image, what=short(text))
    return ill.finding("IMAGE_PULL", entry, what, short(text), grace=None, cure=_cure(ill))


def _image(ill: Ill, entry: dict[str, Any]) -> str:
    """Return the image as it is asked for; a status may name it otherwise."""
    asked = (each.get("image") for each in containers(ill.pod) if each["name"] == entry["name"])
    return str(next(asked, None) or entry.get("image") or "")


def _cure(ill: Ill) -> Phrase:
    lacking = ill.said("FailedToRetrieveImagePullSecret")
    if not lacking:
        return NOTHING
    return Phrase("create the pull secret: {said}", said=short(lacking[-1]))


BEFOREHAND: Final = (image_names_invalid,)
LIVE: Final = (images_absent,)
