"""A configuration without a file: one project, and its access key from the environment."""

import os

from exporter.config.document import ConfigError
from exporter.config.load import from_mapping
from exporter.config.schema import Config

_PREFIX = "HUAWEICLOUD_SDK_"  # what the vendor's own tools read
_ACCOUNT = "default"
_NAMES = {
    "accounts[0].credentials.access_key: ": "",
    "accounts[0].credentials.secret_key: ": "",
    "accounts[0].projects[0].project_id: ": f"{_PREFIX}PROJECT_ID: ",
    "accounts[0].projects[0].region: ": "--region: ",
}
"""Paths of errors, and the option or variable that replaces each where there is no file."""


def from_environment(cloud: str, region: str) -> Config:
    """Poll the project HUAWEICLOUD_SDK_PROJECT_ID, else the default one of the region, with the key in _AK and _SK.

    Raises:
        ConfigError: all errors, a line each.
    """
    credentials: dict[str, object] = {"type": "ak_sk", "access_key": _variable("AK"), "secret_key": _variable("SK")}
    if os.environ.get(f"{_PREFIX}SECURITY_TOKEN"):
        credentials["security_token"] = _variable("SECURITY_TOKEN")
    project = {"region": region}
    if project_id := os.environ.get(f"{_PREFIX}PROJECT_ID"):
        project["project_id"] = project_id
    account = {"name": _ACCOUNT, "cloud": cloud, "credentials": credentials, "projects": [project]}
    try:
        return from_mapping({"accounts": [account]})
    except ConfigError as error:
        text = str(error)
        for path, name in _NAMES.items():
            text = text.replace(path, name)
        raise type(error)(text) from None


def _variable(name: str) -> dict[str, str]:
    return {"env": f"{_PREFIX}{name}"}
