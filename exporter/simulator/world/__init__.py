"""The tasks of the simulated cloud and how they live."""
