"""Compiled loops over arrays; pure functions that import no other room."""
