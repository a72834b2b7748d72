"""What every one of the peers asks, for those that are written in Python."""

from __future__ import annotations

from typing import Final

DATABASES: Final = ("nova_auth", "nova_messaging")
NAMES: Final = (
    "redis-service.nova-redis",
    "postgres-primary.nova-database",
    "user-service.nova-services",
    "search-service.nova-services",
)
SERVICES: Final = {
    "user-service": 8080,
    "auth-service": 8084,
    "search-service": 8086,
    "streaming-api": 8081,
    "messaging-service": 3000,
}
