"""config.example.yaml loads, names every key of the schema, and shows the schema's defaults."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from exporter.config import (
    COLLECTORS,
    Account,
    Collectors,
    CollectorSettings,
    Config,
    Cutover,
    EcsAgency,
    Poll,
    Project,
    Section,
    Tasks,
    load,
)
from tests.lib.config_example import COMPLETE, EXAMPLE, provide_secrets

OVERRIDES = {"poll", "collectors", "tasks", "cutover"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    provide_secrets(tmp_path, monkeypatch)
    return tmp_path


def load_text(folder: Path, text: str) -> Config:
    (folder / "config.yaml").write_text(text)
    return load(folder / "config.yaml")


def sections_in(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for part in get_args(annotation):
        yield from sections_in(part)


def keys_of(model: type[Section], path: str = "") -> Iterator[str]:
    """Every key that the schema knows, as `accounts.projects.region`; an account's overrides are not repeated."""
    for name, field in model.model_fields.items():
        yield f"{path}{field.alias or name}"
        if model is not Account or name not in OVERRIDES:
            for section in sections_in(field.annotation):
                yield from keys_of(section, f"{path}{name}.")


def keys_in(data: object, path: str = "") -> Iterator[str]:
    """Every key that a file sets, named in the same way."""
    for item in data if isinstance(data, list) else []:
        yield from keys_in(item, path)
    for name, value in data.items() if isinstance(data, dict) else []:
        yield f"{path}{name}"
        yield from keys_in(value, f"{path}{name}.")


def shown_once(key: str) -> str:
    """Rules of tasks and waves take the same keys, and so do both cutover: to show each in one of them is enough."""
    key = re.sub("^waves.include[.](?!account|region|project)", "tasks.include.", key)
    return re.sub("^tasks.exclude[.]", "tasks.include.", key.removeprefix("waves.") if ".cutover." in key else key)


def defaults_of(model: type[Section]) -> dict[str, object]:
    optional = {name: field.get_default() for name, field in model.model_fields.items() if not field.is_required()}
    return {name: default for name, default in optional.items() if default not in {None, ()}}


def shown_in(section: Section, keys: dict[str, object]) -> dict[str, object]:
    return {name: getattr(section, name) for name in keys}


def test_it_loads_as_it_is(folder: Path) -> None:
    config = load_text(folder, EXAMPLE)
    assert [account.name for account in config.accounts] == ["prod"]
    assert config == load_text(folder, "\n".join(line for line in EXAMPLE.split("\n") if not re.match(" *#", line)))


def test_it_names_every_key() -> None:
    keys = keys_in(yaml.safe_load(COMPLETE))
    shown = {shown_once(key) for key in keys if not key.endswith((".env", ".file"))}
    known = {shown_once(key) for key in keys_of(Config)}
    overrides = {key for key in shown if re.match(rf"accounts\.({'|'.join(OVERRIDES)})\.", key)}
    assert shown - overrides == known
    assert {key.removeprefix("accounts.") for key in overrides} <= known


@pytest.mark.parametrize("kind", [Poll, Tasks, Cutover])
def test_it_shows_the_defaults_of_a_section(folder: Path, kind: type[Section]) -> None:
    section: Section = getattr(load_text(folder, COMPLETE), kind.__name__.lower())
    defaults = defaults_of(kind)
    assert section.model_fields_set == {
        name for name, field in kind.model_fields.items() if field.get_default() is not None
    }
    assert shown_in(section, defaults) == defaults


def test_it_shows_the_defaults_of_accounts_and_projects(folder: Path) -> None:
    accounts = {account.name: account for account in load_text(folder, COMPLETE).accounts}
    assert shown_in(accounts["prod"].projects[0], defaults_of(Project)) == defaults_of(Project) == {"api": "auto"}
    assert shown_in(accounts["on-ecs"].credentials, defaults_of(EcsAgency)) == defaults_of(EcsAgency)


@pytest.mark.parametrize("name", Collectors.model_fields)
def test_it_shows_the_default_interval_of_each_collector(folder: Path, name: str) -> None:
    shown: CollectorSettings = getattr(load_text(folder, COMPLETE).collectors, name)
    default: CollectorSettings = Collectors.model_fields[name].get_default()
    interval = COLLECTORS[name].interval or Poll().interval
    assert shown == default.model_copy(update={"interval": interval})


def test_it_is_short_enough_to_be_read() -> None:
    lines = EXAMPLE.split("\n")
    assert len(lines) <= 152
    assert max(map(len, lines)) <= 120
