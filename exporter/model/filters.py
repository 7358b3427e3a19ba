"""Selects tasks by the rules of the setting `tasks`, here and in queries where the cloud can filter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from exporter.config import Rule, TaskRule, Tasks
from exporter.model.task import Listed

_PLAIN = ("id", "job_type", "engine_type", "enterprise_project_id")


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


class TaskFilter:
    """The rules of one account: a task is wanted if any `include` rule matches (or there is none) and no `exclude` one.

    A rule matches if all of its keys do. Tags are known only from the details of a task: until then a rule about
    tags does not match, so that included tasks appear late, and excluded ones may be exposed for a while.
    A name for which a regular expression takes too long is included and not excluded, so that no task is lost.
    """

    def __init__(self, settings: Tasks) -> None:
        self._include = settings.include
        self._exclude = settings.exclude
        self.uses_tags = any(rule.tag for rule in (*settings.include, *settings.exclude))
        self.job_types = tuple(
            job_type
            for job_type in settings.job_types
            if not self._include or any(rule.job_type in {None, job_type} for rule in self._include)
        )
        """The job types that can contain wanted tasks."""

    @property
    def by_status(self) -> bool:
        """True if the cloud filters by status: then a task that a list lacks may have another one."""
        return self.query(()).status is not None

    def query(self, enterprise_project_ids: Sequence[str]) -> ListQuery:
        """Return the filter for the cloud: the values that all `include` rules have in common."""
        statuses = self._common("status")
        return ListQuery(
            enterprise_project_ids=tuple(enterprise_project_ids) or self._common("enterprise_project_id"),
            ids=self._common("id"),
            status=statuses[0] if len(statuses) == 1 else None,
        )

    def select(self, tasks: Iterable[Listed]) -> list[Listed]:
        """Return the tasks that lists do not rule out. Subtasks are selected with their outermost parent."""
        tasks = list(tasks)
        kept = {task.id for task in tasks if task.parent_id is None and self._selects(task, None, {})}
        return [task for task in tasks if (task.root_id or task.parent_id or task.id) in kept]

    def wants(self, task: Listed, tags: Mapping[str, str] | None) -> bool:
        """Return whether a task is wanted; `tags` are None while they are unknown."""
        return self._selects(task, tags or {}, tags or {})

    def _selects(self, task: Listed, include: Mapping[str, str] | None, exclude: Mapping[str, str]) -> bool:
        """Return whether a task with these tags is included, and with those tags is not excluded."""
        included = not self._include or any(matches(rule, task, include) for rule in self._include)
        return included and not any(matches(rule, task, exclude, unjudged=False) for rule in self._exclude)

    def _common(self, name: str) -> tuple[str, ...]:
        values = tuple(dict.fromkeys(getattr(rule, name) for rule in self._include))
        return () if None in values else values


def matches(rule: TaskRule, task: Listed, tags: Mapping[str, str] | None, *, unjudged: bool = True) -> bool:
    """Return whether all keys of a rule match; tags that are None match any rule about them.

    `unjudged` is the result for a name for which the rule's regular expression takes too long.
    """
    if not matches_plain(rule, task) or rule.status not in {None, task.status}:
        return False
    named = matches_name(rule, task)
    return (unjudged if named is None else named) and matches_tag(rule, tags) is not False


def matches_plain(rule: Rule, task: Listed) -> bool:
    """Return whether the keys of a rule match that are compared for equality."""
    return all(getattr(rule, name) in {None, getattr(task, name)} for name in _PLAIN)


def matches_name(rule: Rule, task: Listed) -> bool | None:
    """Return whether the name matches; None if the regular expression takes too long."""
    return rule.name is None or rule.name.matches(task.name)


def matches_tag(rule: Rule, tags: Mapping[str, str] | None) -> bool | None:
    """Return whether the tags match; None if the rule needs them and they are unknown."""
    if rule.tag is None:
        return True
    if tags is None:
        return None
    key, given, value = rule.tag.partition("=")
    return key in tags and (not given or tags[key] == value)
