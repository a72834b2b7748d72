"""Patroni, which decides who leads PostgreSQL."""
