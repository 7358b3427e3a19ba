"""The real process on a hostile host: full disks, dead pipes, stepped clocks, low limits, crowds.

These tests measure time, so they run one after the other; all of them together take at most two minutes.
"""
