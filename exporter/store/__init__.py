"""What is remembered of each project and its tasks, and how it ages."""
