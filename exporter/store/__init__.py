"""Facts of each project and their ages."""
