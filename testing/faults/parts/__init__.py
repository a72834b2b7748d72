"""Scripts that run inside pods while a fault is in; they need Python's standard library alone."""
