"""The kinds of components, a room each: all that is known of Redis is in `redis`.

`kubernetes`, `network` and `dns` are what every system stands on; `registry` knows all of them.
"""
