"""How a command of `nova-cluster` ends: in one message without a secret, and a telling status.

SIGTERM, by which CI systems end a job, is taken as Ctrl-C.
"""

from __future__ import annotations

import signal
import sys
from typing import Any, Final

import click

from nova_acceptance.errors import NovaError, RefusedError, UsageError
from nova_acceptance.masked_stream import masked_output, masked_traceback
from nova_acceptance.plugin.exits import ExitStatus
from nova_acceptance.wakeful import wakeful

INTERRUPTED: Final = 130
"""The status of a command that was ended from outside, as shells give it for Ctrl-C."""


class CommandGroup(click.Group):
    """Commands whose failures end in one message."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and exit with its status where it fails."""
        signal.signal(signal.SIGTERM, _interrupt)
        sys.excepthook = masked_traceback
        with wakeful(), masked_output():
            try:
                return super().invoke(ctx)
            except NovaError as error:
                click.echo(f"nova-cluster: {error}", err=True)
                ctx.exit(_status(error))
            except KeyboardInterrupt:
                click.echo("nova-cluster: interrupted", err=True)
                ctx.exit(INTERRUPTED)


def _interrupt(_number: int, _frame: object) -> None:
    """Treat a polite end as Ctrl-C: what is half made is taken away again."""
    raise KeyboardInterrupt


def _status(error: NovaError) -> int:
    if isinstance(error, RefusedError):
        return ExitStatus.REFUSED
    return 2 if isinstance(error, UsageError) else 1
