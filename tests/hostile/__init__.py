"""The real process on a hostile host: full disks, dead pipes, stepped clocks, low limits, crowds.

These tests measure time, so `make test` runs them after the others, two files at a time.
"""
