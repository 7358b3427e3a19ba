"""Families, their rendering and the page of /metrics."""
