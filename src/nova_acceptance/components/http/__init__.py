"""Services of the application layer: anything with a port that others ask."""

from nova_acceptance.components.http import draft
from nova_acceptance.components.http.spec import Http
from nova_acceptance.components.kind import Drafting, Kind

KIND = Kind(name="http", spec=Http, drafting=Drafting(draft.recognises, draft.draft))
