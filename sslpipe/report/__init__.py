"""Pictures of a dataset: a page about its build, and what its tasks hand out."""
