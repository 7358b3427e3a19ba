"""The filters that the cloud applies when it lists tasks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Filters that the cloud applies; empty: none.

    Engines are not among them: v3 returns `mongodb-to-dds` for the filter `mongodb`, and v5 rejects unknown engines.
    The exporter filters engines itself.
    """

    enterprise_project_ids: tuple[str, ...] = ()
    """One list for each: an operation takes only one of them."""
    ids: tuple[str, ...] = ()
    status: str | None = None

    def parts(self, most_ids: int) -> list[tuple[str | None, dict[str, str]]]:
        """Return enterprise project and filters of each list to request; `name` takes up to `most_ids` ids."""
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
