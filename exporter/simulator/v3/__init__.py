"""API v3 of the simulated cloud."""
