"""The filters that the cloud applies when it lists tasks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What the cloud is asked to filter by when it lists tasks; empty: everything.

    Engines are not among it: v3 answers `mongodb-to-dds` to who asks for `mongodb`, and v5 refuses what it
    does not know, so rules about engines are applied to the answer.
    """

    enterprise_project_ids: tuple[str, ...] = ()
    """A list each: an operation takes one."""
    ids: tuple[str, ...] = ()
    status: str | None = None

    def parts(self, most_ids: int) -> list[tuple[str | None, dict[str, str]]]:
        """The enterprise project and the filters of each list to ask for; `name` takes up to so many ids."""
        chunks = [self.ids[start : start + most_ids] for start in range(0, len(self.ids), most_ids)] or [()]
        return [
            (
                project,
                {
                    **({"enterprise_project_id": project} if project is not None else {}),
                    **({"name": ",".join(chunk)} if chunk else {}),
                    **({"status": self.status} if self.status else {}),
                },
            )
            for project in self.enterprise_project_ids or (None,)
            for chunk in chunks
        ]
