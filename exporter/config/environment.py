"""A configuration without a file: one project, and its access key from the environment."""

import os

from exporter.config.document import ConfigError
from exporter.config.load import from_mapping
from exporter.config.schema import Config

_PREFIX = "HUAWEICLOUD_SDK_"  # what the vendor's own tools read
_ACCOUNT = "default"
_WORDS = {
    "accounts[0].credentials.access_key: ": "",
    "accounts[0].credentials.secret_key: ": "",
    "accounts[0].projects[0].project_id: ": f"{_PREFIX}PROJECT_ID: ",
    "accounts[0].projects[0].region: ": "--region: ",
}
"""Paths of faults, and what a user without a file knows them as."""


def from_environment(cloud: str, region: str) -> Config:
    """Poll the project HUAWEICLOUD_SDK_PROJECT_ID, else the default one of the region, with the key in _AK and _SK.

    Raises:
        ConfigError: all faults, a line each.
    """
    credentials: dict[str, object] = {"type": "ak_sk", **_secret("access_key", "AK"), **_secret("secret_key", "SK")}
    if os.environ.get(f"{_PREFIX}SECURITY_TOKEN"):
        credentials |= _secret("security_token", "SECURITY_TOKEN")
    project = {"region": region}
    if project_id := os.environ.get(f"{_PREFIX}PROJECT_ID"):
        project["project_id"] = project_id
    account = {"name": _ACCOUNT, "cloud": cloud, "credentials": credentials, "projects": [project]}
    try:
        return from_mapping({"accounts": [account]})
    except ConfigError as error:
        text = str(error)
        for place, words in _WORDS.items():
            text = text.replace(place, words)
        raise type(error)(text) from None


def _secret(key: str, name: str) -> dict[str, object]:
    return {key: {"env": f"{_PREFIX}{name}"}}
