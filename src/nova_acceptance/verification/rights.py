"""A question that this user may not ask is not asked; that shows nothing of the system."""

from __future__ import annotations

from nova_acceptance.errors import DeployError, NovaError, UnaskedError
from nova_acceptance.kube import forbidden
from nova_acceptance.kube.failures import kubelet_trouble, without_way
from nova_acceptance.phrase import Phrase, verbatim


def unasked_of(error: BaseException) -> UnaskedError | None:
    """Return why a question was not asked; None where an error says something else.

    That is what says so itself, what the API forbade on the way to an answer, what it could not ask
    a node's kubelet itself, and what did not get to the API, or came from a user whom it does not
    know any more. A deployment that is forbidden has failed: it was no question.
    """
    if isinstance(error, UnaskedError):
        return error
    if not isinstance(error, NovaError) or isinstance(error, DeployError):
        return None
    if met := without_way(error) or kubelet_trouble(error):
        said = UnaskedError(verbatim(met.message), hint=met.hint, evidence=met.evidence)
        return said.with_traceback(error.__traceback__)
    refused = forbidden(error)
    if refused is None or refused.forbidden is None:
        return None
    said = UnaskedError(
        refused.forbidden,
        hint=refused.hint
        if refused.is_of_policy
        else Phrase("grant it, or do without these answers"),
        evidence=(refused.message, *refused.evidence),
    )
    return said.with_traceback(error.__traceback__)
