"""Faults that are put into a running Nova, and what the suite makes of each.

    python -m testing.faults [NAME…] [--family FAMILY]

`catalogue/<family>/<name>.yaml` is a fault: how it is put in, what shows that it is in, and what
the suite has to say of it. Every fault is taken out again, and the tests that failed are seen
green.

Those that do not reach each other are in together (`reach`, `batches`), and are verified by the
tests that concern them and a sample of the others (`selection`).

Layers, top to bottom: `__main__` > `runner` > `steps`, `verification`, `health` > `ground` >
`batches` > `selection` > `reach` > `table` > `verdict` > `catalogue` (the reading of it) > `fault`,
`undo`, `merge`, `phases`.
"""
