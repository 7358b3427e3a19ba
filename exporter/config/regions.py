"""The known regions, to find mistyped ones. An unknown region is not an error: clouds add regions."""

import difflib
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from exporter.config.schema import Account, Project

REGIONS = frozenset(
    """
    ae-ad-1 af-north-1 af-south-1 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 cn-east-2
    cn-east-3 cn-east-4 cn-east-5 cn-north-1 cn-north-11 cn-north-12 cn-north-2 cn-north-4 cn-north-9 cn-south-1
    cn-south-2 cn-south-4 cn-southwest-2 cn-southwest-3 eu-ch2 eu-de eu-nl eu-west-0 eu-west-101 la-north-2
    la-south-2 me-east-1 my-kualalumpur-1 na-mexico-1 ru-moscow-1 ru-northwest-2 sa-brazil-1 tr-west-1
    """.split()  # noqa: SIM905
)
"""The regions of Huawei Cloud, as its SDK lists them, and of Open Telekom Cloud (eu-ch2 is its Swiss region)."""
_CLOUDS = {"eu-de": "otc", "eu-nl": "otc", "eu-ch2": "otc", "eu-west-101": "huaweicloud_eu"}
"""The clouds of regions; all others are of huaweicloud."""
_ALIKE = 0.85
"""Of 1: how similar a mistyped region is to the right one."""


def region_hints(account: Account) -> Iterator[tuple[Project, str]]:
    """The projects of an account whose region looks mistyped, each with what to write."""
    for project in account.all_projects():
        hint = _hint(project.region, project.endpoint or "") or _cloud_hint(account, project)
        if hint:
            yield project, hint


def _hint(region: str, endpoint: str) -> str:
    meant = REGIONS.intersection((urlsplit(endpoint).hostname or "").split("."))
    if meant and region not in meant:
        return f"region is {region}, but the endpoint is in {min(meant)}: write region: {min(meant)}"
    near = difflib.get_close_matches(region, REGIONS - {region}, n=1, cutoff=_ALIKE)
    if region in REGIONS or not near or _place(region) == _place(near[0]):
        return ""
    return f"region {region} is not known: did you mean {near[0]}?"


def _cloud_hint(account: Account, project: Project) -> str:
    cloud = _CLOUDS.get(project.region, "huaweicloud")
    if project.endpoint or project.region not in REGIONS or cloud == account.cloud:
        return ""
    return f"region {project.region} is of cloud {cloud}, not {account.cloud}: correct cloud or region, or set endpoint"


def _place(region: str) -> str:
    """A region without its number: new ones differ from others in that alone."""
    return re.sub("[0-9]+$", "", region)
