"""Names of a project."""

from __future__ import annotations

from typing import NamedTuple


class ProjectKey(NamedTuple):
    """The labels of a project."""

    account: str
    region: str
    project: str

    @property
    def text(self) -> str:
        """The labels, joined. The shard that contains this name exposes the project's own families."""
        return "/".join(self)
