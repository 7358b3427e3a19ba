"""API v5 of the simulated cloud."""
