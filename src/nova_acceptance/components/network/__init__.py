"""The network between pods: who reaches whom, and who must not."""
