"""Services of the application layer: anything with a port that others ask."""

from nova_acceptance.components.http.spec import Http
from nova_acceptance.components.kind import Kind

KIND = Kind(name="http", spec=Http)
