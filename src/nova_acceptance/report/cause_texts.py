"""What a cause is called, how it shows and what mends it, in either language.

In English a cause says it itself; its translations are `texts/<language>/causes.toml`.
"""

from __future__ import annotations

from typing import Final, Literal

from nova_acceptance.diagnosis import CAUSES
from nova_acceptance.diagnosis.cause import Cause
from nova_acceptance.report.texts import ENGLISH, texts

Field = Literal["title", "symptom", "cure"]

UNKNOWN: Final = Cause(
    "UNKNOWN",
    "No known cause explains it",
    "Something failed or is not ready, and none of the known causes fits what was seen",
    "What was seen of the objects concerned",
    "begin with what was seen, and with the events and logs that were kept",
)
_BY_ID: Final = {cause.id: cause for cause in (*CAUSES, UNKNOWN)}


def cause_text(cause_id: str, field: Field, language: str) -> str:
    """Return what is said of a cause in general.

    Args:
        cause_id: its stable name, as a record has it, or `UNKNOWN`.
        field: which of its texts.
        language: one of `texts.LANGUAGES`.

    Returns:
        The text, without a full stop; empty for a name that is no cause's.
    """
    cause = _BY_ID.get(cause_id)
    if cause is None:
        return ""
    if language == ENGLISH:
        return str(getattr(cause, field))
    return texts(language).get(f"causes.{cause_id}.{field}")
