"""The URLs by which components connect, against nova.yaml."""
