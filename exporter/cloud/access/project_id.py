"""The ids of projects: given, or found through IAM; and that no project is polled twice."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping

import httpx
import structlog

from exporter.cloud.access.renewal import Refreshed
from exporter.cloud.http.client import Client
from exporter.cloud.http.errors import CloudError, DecodeError
from exporter.cloud.http.response import read_object
from exporter.cloud.operations import LIST_PROJECTS, PLAIN_ID
from exporter.cloud.source import DecodeErrors
from exporter.cloud.wire.fields import Text, Wire
from exporter.model.task import ProjectKey

_log = structlog.get_logger()


class ProjectWire(Wire):
    """A project of IAM: the one of a token, or an item of "Querying Project Information"."""

    id: Text = None
    name: Text = None


async def find_project(client: Client, name: str, region: str) -> str:
    """The id of the project with this very name; a region's default project has the name of the region.

    Raises:
        CloudError: IAM shows no such project, or several.
    """
    projects = await client.exchange(LIST_PROJECTS, _read_projects, query=(("name", name),))
    ids = {project.id for project in projects if project.name == name and project.id}
    if len(ids) != 1:
        many = "more than one project" if ids else "no project"
        correct = "" if name == region else "correct name, "
        reason = f"IAM shows {many} of the name {name}: {correct}set project_id, or let the user list IAM's projects"
        raise CloudError(LIST_PROJECTS.name, "project", reason=reason)
    return ids.pop()


def _read_projects(operation: str, status: int, headers: httpx.Headers, content: bytes) -> list[ProjectWire]:
    projects = read_object(operation, status, headers, content).get("projects")
    if not isinstance(projects, list):
        raise DecodeError(operation, "decode")
    return ProjectWire.read_all(projects, DecodeErrors())


class ProjectIdClaims:
    """Which project has which id: a project that two accounts reach would be counted twice."""

    def __init__(self, owners: Mapping[tuple[str, str], ProjectKey] = {}, logged: Iterable[ProjectKey] = ()) -> None:
        self._owners = dict(owners)
        self._logged = set(logged)

    def without(self, keys: Container[ProjectKey]) -> ProjectIdClaims:
        """Return the claims of all projects but these."""
        owners = {place: owner for place, owner in self._owners.items() if owner not in keys}
        return ProjectIdClaims(owners, self._logged)

    def take(self, owner: ProjectKey, project_id: str) -> None:
        """Claim an id for a project; raises `CloudError` where another one has it already."""
        first = self._owners.setdefault((owner.region, project_id), owner)
        if first == owner:
            return
        if owner not in self._logged:
            self._logged.add(owner)
            _log.error(
                "this project is polled already, it is refused here; remove one of the two from the configuration",
                project_id=project_id,
                **owner._asdict(),
                polled_by_account=first.account,
                polled_as_project=first.project,
            )
        raise CloudError(LIST_PROJECTS.name, "project", reason=f"{project_id} is polled by account {first.account}")


class ProjectId:
    """The id of one project: given, or found with the first call, and then kept.

    Args:
        given: by the configuration.
        find: queries the cloud for it; raises `CloudError`.
        claim: claims it; raises `CloudError` where another project has it.
    """

    def __init__(self, given: str | None, find: Callable[[], Awaitable[str]], claim: Callable[[str], None]) -> None:
        self.known = given
        """None as long as it was not found, or is another owner's."""
        self._find = find
        self._claim = claim
        self._found = Refreshed[str]()
        if given is not None:
            claim(given)

    async def get(self) -> str:
        """Return the id; raises `CloudError` while it is not known."""
        if self.known is None:
            project_id = await self._found.get(self._fetch)
            self._claim(project_id)
            self.known = project_id
        return self.known

    async def _fetch(self) -> tuple[str, float]:
        project_id = await self._find()
        if not re.fullmatch(PLAIN_ID, project_id):  # it becomes part of paths and headers
            raise CloudError(LIST_PROJECTS.name, "project", reason="IAM's id of the project is none: set project_id")
        return project_id, float("inf")
