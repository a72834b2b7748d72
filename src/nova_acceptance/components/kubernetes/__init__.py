"""What Kubernetes itself is made of: workloads, Services, claims, configuration, nodes."""
