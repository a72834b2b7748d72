"""Writing a nova.yaml of what is there, for a person to read, correct and keep.

Layers, top to bottom: `writing` > `document` > `conventions`, `configuration` > `uses`,
`certificates`, `posture` > `candidates` > `access`, `sources`, `emitting`. Nothing here writes to a
cluster, and no value of a Secret is in what comes out: a snapshot has nothing but their shapes.
"""

from nova_acceptance.draft.sources import from_api, from_manifests
from nova_acceptance.draft.writing import draft

__all__ = ["draft", "from_api", "from_manifests"]
