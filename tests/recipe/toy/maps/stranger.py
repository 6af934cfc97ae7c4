"""A module whose class is no step."""


class Stranger:
    """Not a step."""
