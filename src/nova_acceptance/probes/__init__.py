"""Asking a running system: its API, its pods, its protocols.

A probe returns answers and raises `ProbeError` when it could not ask; no answer is ever made up
from a failure to ask.

Layers, top to bottom: `postgres`, `patroni`, `redis`, `etcd`, `writer`, `snapshot`, `matrix` >
`plans`, `survey`, `scene` > `roles`, `sql`, `http`, `names` > `routes`, `agent`, `objects` >
`in_pod`, `questions`, `pods`, `successor` > `witness`, `until`. The scripts `in_pod_agent` and
`in_pod_relay` run inside containers and import nothing from here.
"""
