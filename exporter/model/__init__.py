"""Plain data in base units, and what follows from it."""
