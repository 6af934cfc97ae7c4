"""Bytes to arrays and back, with caps."""
