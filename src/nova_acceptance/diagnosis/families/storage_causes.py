"""The causes of the storage family: classes, claims and volumes."""

from __future__ import annotations

from typing import Final

from nova_acceptance.diagnosis.cause import Cause

STORAGE_CLASS_MISSING: Final = Cause(
    "STORAGE_CLASS_MISSING",
    "A claim names a storage class that the cluster does not have",
    "Its pod stays Pending; the claim stays Pending without a volume",
    "The claim's or claim template's `storageClassName` against the cluster's StorageClasses",
    "name a class that exists (`kubectl get storageclass`), or none, so that the default serves",
)
DEFAULT_STORAGE_CLASS_MISSING: Final = Cause(
    "DEFAULT_STORAGE_CLASS_MISSING",
    "A claim names no storage class, and the cluster has no default one",
    "Its pod stays Pending; the claim stays Pending without a volume",
    "Claims without `storageClassName`; StorageClasses without the annotation of a default",
    "make a class the default (annotation `storageclass.kubernetes.io/is-default-class: true`), "
    "or name one in the claim",
)
CLAIM_LOST: Final = Cause(
    "CLAIM_LOST",
    "The volume of a claim is gone",
    "Its pod cannot start again; what it stored is not there",
    "The claim's phase Lost",
    "restore the volume or its data from a backup, or delete the claim and begin anew",
)
CLAIM_MISSING: Final = Cause(
    "CLAIM_MISSING",
    "A pod wants a claim that does not exist",
    "The pod stays Pending: `persistentvolumeclaim … not found`",
    "The claims that the specification names against those that exist",
    "create the claim, or correct its name in the workload",
)
PROVISIONING_FAILED: Final = Cause(
    "PROVISIONING_FAILED",
    "The cluster's provisioner could not make a volume for a claim",
    "The claim stays Pending, and its pod with it",
    "Warnings ProvisioningFailed and FailedBinding about the claim",
    "see what the provisioner says: room, quota of the provider, parameters of the class",
)
VOLUME_NOT_MOUNTED: Final = Cause(
    "VOLUME_NOT_MOUNTED",
    "A volume cannot be attached or mounted",
    "The pod hangs in ContainerCreating",
    "Warnings FailedMount, FailedAttachVolume and FailedMapVolume about the pod",
    "see the message: the path on the node, another pod that holds the volume, the storage driver",
)
CLAIM_TOO_SMALL: Final = Cause(
    "CLAIM_TOO_SMALL",
    "A claim asks for, or was given, less than nova.yaml says",
    "All works until the volume is full",
    "The claim's request and capacity against nova.yaml's `claims`",
    "raise the request in the claim template; a class that allows it grows the volume in place",
)
PROVISIONER_SILENT: Final = Cause(
    "PROVISIONER_SILENT",
    "Nobody makes the volumes of a storage class",
    "The claim stays Pending, and so does its pod; nothing is said to have failed",
    "The event ExternalProvisioning, which names the class's provisioner, and no event "
    "Provisioning, by which one takes a claim on",
    "install or start the provisioner that the class names, or name another class",
)
CLAIM_UNBOUND: Final = Cause(
    "CLAIM_UNBOUND",
    "A claim has no volume yet",
    "Its pod stays Pending: `unbound immediate PersistentVolumeClaims`",
    "The claim's phase, where its class does not wait for a pod to be placed first",
    "see the claim's events (`kubectl describe pvc`): does its provisioner run?",
    is_symptom=True,
)

CAUSES: Final = (
    STORAGE_CLASS_MISSING,
    DEFAULT_STORAGE_CLASS_MISSING,
    CLAIM_LOST,
    CLAIM_MISSING,
    PROVISIONING_FAILED,
    PROVISIONER_SILENT,
    VOLUME_NOT_MOUNTED,
    CLAIM_TOO_SMALL,
    CLAIM_UNBOUND,
)
