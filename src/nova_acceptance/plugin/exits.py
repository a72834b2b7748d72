"""The exit statuses of a run, beyond those that pytest has itself."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """What a run says to whoever started it, where nothing has failed by an assertion.

    pytest's own are 0 to 5: all passed, some failed, interrupted, an error of the machinery, a
    wrong command line, no test.

    Attributes:
        NOT_ASKED: nothing is wrong that could be asked, and something, or all, could not be asked.
        NOT_DEPLOYED: nothing of the system could be deployed, whatever else has failed.
        REFUSED: the suite does not write to that cluster, or not now, or not any more, since the
            run has lost its hold.
    """

    NOT_ASKED = 6
    NOT_DEPLOYED = 7
    REFUSED = 8
