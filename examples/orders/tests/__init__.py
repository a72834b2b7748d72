"""The example's own tests: no cluster and no broker needed."""
