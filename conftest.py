"""What is particular to this repository: its own tests are no acceptance tests.

`testing/` has a configuration of its own, `pytest -c testing/pytest.ini`; under this one its
tests would be recorded as part of an acceptance run.
"""

collect_ignore = ["testing", "benchmarks"]
