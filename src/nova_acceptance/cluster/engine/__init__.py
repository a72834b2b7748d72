"""A container engine of our own, in namespaces of its own."""

from nova_acceptance.cluster.engine.daemon import Engine

__all__ = ["Engine"]
