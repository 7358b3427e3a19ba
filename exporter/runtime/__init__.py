"""Helpers of all packages: log, clocks, threads, signals, files, text."""
