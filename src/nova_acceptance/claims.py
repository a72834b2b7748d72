"""What stops a test whose question a finding makes pointless."""

from __future__ import annotations

from nova_acceptance.findings import Finding


class BrokenClaimError(AssertionError):
    """Something that a fixture or a client relies on does not hold, and what that shows."""

    def __init__(self, shown: Finding) -> None:
        super().__init__(shown.summary)
        self.shown = shown
