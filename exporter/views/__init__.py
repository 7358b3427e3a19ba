"""A task in words and figures, for pages, API and commands."""
