"""Who runs the plan: this process, or Ray."""
