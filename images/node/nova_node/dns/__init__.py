"""Cluster DNS by the Kubernetes DNS-Based Service Discovery specification, version 1.1.

    wire       names, queries and responses as octets (RFC 1035, RFC 6891)
    records    Services and Endpoints of the API to records
    answers    a query to its response, from records in memory
    server     sockets, health and readiness, and the API followed

https://github.com/kubernetes/dns/blob/master/docs/specification.md
"""
