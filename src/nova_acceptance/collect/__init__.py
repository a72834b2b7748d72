"""Looking at a cluster once, for a diagnosis, and keeping what was seen.

Layers, top to bottom: `examination` > `looking`, `files` > `logs` > `values`, `kinds`. Nothing here
writes to the cluster.
"""

from nova_acceptance.collect.files import Kept, keep
from nova_acceptance.collect.looking import look

__all__ = ["Kept", "keep", "look"]
