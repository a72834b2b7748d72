"""The places inside a cluster from which things are asked, and how one asks from there.

A question returns an answer (open, refused, timed out) and raises `ProbeError` when it could not be
asked; no answer is ever made up from a failure to ask.
"""
