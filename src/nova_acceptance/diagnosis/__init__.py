"""Why something went wrong: from an object that failed down to a named cause.

Layers, top to bottom: `explanation` > `catalogue` > `folding` > `ranking`. Everything here is pure:
it reads a snapshot and asks nobody, and knows no kind of component.
"""

from nova_acceptance.diagnosis.catalogue import beforehand, examine
from nova_acceptance.diagnosis.explanation import Doctor, Explanation
from nova_acceptance.diagnosis.ranking import Ranked

__all__ = ["Doctor", "Explanation", "Ranked", "beforehand", "examine"]
