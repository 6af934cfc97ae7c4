"""A module that can't be imported."""

raise RuntimeError("toy is broken")
