"""The same work by what people would use in the place of this suite, each written as its users do.

The work, done by every one of them on the Nova that runs:

    redis     answers PING with its password, and refuses it without
    postgres  as app_user: each of the two databases answers with the password, and not with another
    names     of Redis', PostgreSQL's and two other Services resolve from a pod
    health    of each of the five services is answered with 200

    by_run.sh                  `kubectl run --rm` with a client's image for each check
    by_exec.sh                 a script of `kubectl exec`, several commands in each where they fit
    test_pytest_kubernetes.py  pytest-kubernetes' cluster manager
    test_plain.py              pytest, the kubernetes client, port-forwards, redis-py and psycopg
"""
