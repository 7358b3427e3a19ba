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
        """What decides which shard tells of the project as a whole."""
        return "/".join(self)
