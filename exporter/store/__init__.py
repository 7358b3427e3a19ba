"""The state of each project and its tasks, and the expiry of facts."""
