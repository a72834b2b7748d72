"""What a cause is called, how it shows and what mends it, in either language."""

from __future__ import annotations

from typing import Final

from nova_acceptance.causes import Cause, Field, causes
from nova_acceptance.report.texts import CHINESE

UNKNOWN: Final = Cause(
    "UNKNOWN",
    "No known cause explains it",
    "Something failed or is not ready, and none of the known causes fits what was seen",
    "What was seen of the objects concerned",
    "begin with what was seen, and with the events and logs that were kept",
    is_symptom=False,
    translations={
        CHINESE: {
            "title": "沒有已知的原因可以解釋",
            "symptom": "有測試失敗或有物件未就緒，而已知的原因都不符合所見",  # noqa: RUF001
            "cure": "從列出的所見與保存下來的事件、日誌著手",
        }
    },
)


def cause_text(cause_id: str, field: Field, language: str) -> str:
    """Return what is said of a cause in general.

    Args:
        cause_id: its stable name, as a record has it, or `UNKNOWN`.
        field: which of its texts.
        language: one of `texts.LANGUAGES`.

    Returns:
        The text, without a full stop; empty for a name that is no cause's.
    """
    cause = UNKNOWN if cause_id == UNKNOWN.id else causes().get(cause_id)
    return cause.text(field, language) if cause else ""
