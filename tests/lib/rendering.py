"""Less rendering, for tests that look at few pages: it would take more time than polling."""

from __future__ import annotations

import pytest

from exporter.daemon import exporter
from exporter.metrics.sample_updater import SampleUpdater


def publish_every(seconds: float, patch: pytest.MonkeyPatch) -> None:
    """Publish a page by itself only as often."""
    for name in ("_TICK_SECONDS", "_GAP_SECONDS"):
        patch.setattr(exporter, name, seconds)


def render_no_samples(patch: pytest.MonkeyPatch) -> None:
    """Render no samples of tasks and projects."""
    for name in ("update_task", "update_project"):
        patch.setattr(SampleUpdater, name, lambda *_: None)
