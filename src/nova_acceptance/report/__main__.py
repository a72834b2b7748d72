"""`python -m nova_acceptance.report` is `nova-report`, also where that is not on the path."""

from __future__ import annotations

from nova_acceptance.report.command import main

if __name__ == "__main__":
    main(prog_name="python -m nova_acceptance.report")
