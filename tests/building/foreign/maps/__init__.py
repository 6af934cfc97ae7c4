"""Steps of somebody else's package."""
