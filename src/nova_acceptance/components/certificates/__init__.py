"""Certificates: their time, their names, their keys and the Secrets that hold them."""
