"""The programs of a home-made Kubernetes node: cluster DNS, pod network, local volumes.

    dns        names of services, by the DNS-Based Service Discovery specification 1.1
    network    the CNI configuration of this node and its routes to the other nodes' pods
    storage    volumes in a directory of this node, made when a claim is scheduled here

Each is `python3 -m nova_node NAME`, watches the API and needs the standard library only.
"""
