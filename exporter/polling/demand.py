"""How many API calls the configured intervals take, and what too low a rate limit makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from exporter.config import COLLECTORS


def calls_per_second(intervals: Iterable[float], batch: int) -> float:
    """Return the calls of one source, whose tasks are queried at these intervals in batches."""
    rates = [1 / interval for interval in intervals]
    return max(sum(rates) / batch, max(rates, default=0.0))


def delay_growth(demand: Mapping[str, float], rate: float) -> float:
    """Return how many times older than configured the delays become; 1 where the rate limit suffices.

    Args:
        demand: calls a second by collector.
        rate: calls a second that are allowed.
    """
    if sum(demand.values()) <= rate:
        return 1.0
    most = max(collector.weight for collector in COLLECTORS.values())
    return max(1.0, sum(calls * COLLECTORS[name].weight / most for name, calls in demand.items()) / rate)
