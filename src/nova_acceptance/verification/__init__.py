"""What a run of the acceptance suite asks, and how a failure is followed to its cause."""
