"""A question that this user may not ask is not asked; that shows nothing of the system."""

from __future__ import annotations

from nova_acceptance.errors import DeployError, NovaError, UnaskedError
from nova_acceptance.kube import forbidden
from nova_acceptance.phrase import Phrase


def unasked_of(error: BaseException) -> UnaskedError | None:
    """Return why a question was not asked; None where an error says something else.

    That is what says so itself, and what the API forbade on the way to an answer. A deployment that
    is forbidden has failed: it was no question.
    """
    if isinstance(error, UnaskedError):
        return error
    refused = None
    if isinstance(error, NovaError) and not isinstance(error, DeployError):
        refused = forbidden(error)
    if refused is None or refused.forbidden is None:
        return None
    said = UnaskedError(
        refused.forbidden,
        hint=Phrase("grant it, or do without these answers"),
        evidence=(refused.message, *refused.evidence),
    )
    return said.with_traceback(error.__traceback__)
