"""The typed recipe, its YAML, and the plan that is printed and run."""
