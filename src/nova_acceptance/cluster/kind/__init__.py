"""kind on this machine: its parts, its node image, its clusters."""
