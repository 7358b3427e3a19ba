"""The exporter as a daemon: its projects, reloads, pages and signals."""
