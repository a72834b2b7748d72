"""Looking at a cluster once, for a diagnosis, and keeping what was seen.

Layers, top to bottom: `examination` > `looking`, `files` > `logs` > `asking`, `values`. Nothing
here writes to the cluster.
"""

from nova_acceptance.collect.files import Kept, keep
from nova_acceptance.collect.looking import KUBE_SYSTEM, is_whole, look

__all__ = ["KUBE_SYSTEM", "Kept", "is_whole", "keep", "look"]
