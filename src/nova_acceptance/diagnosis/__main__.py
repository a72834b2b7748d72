"""Print the document of all causes: `python -m nova_acceptance.diagnosis`."""

import sys

from nova_acceptance.diagnosis.document import document

sys.stdout.write(document())
