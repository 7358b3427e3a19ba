"""Polls the cloud: selects queries and schedules them."""
