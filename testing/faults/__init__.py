"""Faults that are put into a running Nova, one by one, and what the suite makes of each.

    python -m testing.faults [NAME…] [--family FAMILY]

`catalogue/<family>/<name>.yaml` is a fault: how it is put in, what shows that it is in, and what
the suite has to say of it. Every fault is taken out again, and the tests that failed are seen
green.

Layers, top to bottom: `__main__` > `runner` > `steps`, `verification`, `health` > `ground` >
`table` > `verdict` > `catalogue` (the reading of it) > `fault`, `undo`, `merge`.
"""
