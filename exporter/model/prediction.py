"""Predictions about a task from its recent history."""

from __future__ import annotations

from typing import NamedTuple


class Predicted(NamedTuple):
    """Predictions about a task. None: the history is too short, or shows no steady change.

    Args:
        catch_up_seconds: time until the delay is within `max_delay`; 0 while it is.
        full_load_end_at: Unix time of the end of the full load.
        delay_slope: seconds by which the delay grows in a second; below 0 the target catches up.
    """

    catch_up_seconds: float | None = None
    full_load_end_at: float | None = None
    delay_slope: float | None = None


UNPREDICTED = Predicted()
