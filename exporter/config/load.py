"""Loads the configuration: completes each account from the top level, and checks rules across fields."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from exporter.config.cutover_errors import cutover_errors
from exporter.config.document import Document, Loc, NotReadyError, path_text, read_document
from exporter.config.schema import Config
from exporter.config.schema_errors import add_schema_errors
from exporter.config.section import Section
from exporter.config.values import Offline, duration_text
from exporter.config.wave_errors import wave_errors

S = TypeVar("S", bound=Section)

_SECTIONS = ("poll", "collectors", "tasks", "cutover")


def load(path: Path) -> Config:
    """Read and check a YAML file, without the network. Secrets are read, so that a missing one is found.

    Raises:
        ConfigError: all errors, a line each, in the order of the file; `NotReadyError` if only files or variables
            are missing.
    """
    return _checked(read_document(path), path.parent)


def load_offline(path: Path) -> tuple[Config, tuple[str, ...]]:
    """Like `load`, but the files and variables that the configuration refers to may be missing.

    Returns:
        The configuration, in which no secret and no CA was read, and a line for each that is missing.

    Raises:
        ConfigError: all errors, a line each; `NotReadyError` if the configuration file itself can't be read.
    """
    config = _checked(read_document(path), Offline(path.parent))
    try:
        load(path)
    except NotReadyError as error:
        return config, tuple(str(error).split("\n"))
    return config, ()


def from_mapping(data: Mapping[str, object]) -> Config:
    """Like `load`, from plain data; paths are relative to the working directory.

    Raises:
        ConfigError: all errors, a line each.
    """
    return _checked(Document(dict(data)), Path())


def _checked(document: Document, folder: Path | Offline) -> Config:
    try:
        written = Config.model_validate(document.data, context=folder)
    except ValidationError as error:
        add_schema_errors(document, Config, error)
        raise document.error() from None
    config = _completed(written)
    for loc, text in _rule_errors(written, config):
        document.add_error(loc, text)
    if document.has_errors:
        raise document.error()
    return config


def _completed(written: Config) -> Config:
    """Complete the sections of every account: its own keys, else those of the top level, else the defaults."""
    top: dict[str, Section] = {}
    for name in _SECTIONS:
        section: Section = getattr(written, name)
        top[name] = _merged(type(section)(), section)
    accounts = tuple(
        account.model_copy(update={name: _merged(top[name], getattr(account, name)) for name in _SECTIONS})
        for account in written.accounts
    )
    return written.model_copy(update={**top, "accounts": accounts})


def _merged(base: S, over: S) -> S:
    """Return `base` with the keys that `over` sets; lists are replaced whole, and null sets nothing."""
    update: dict[str, object] = {}
    for name in over.model_fields_set:
        value = getattr(over, name)
        if isinstance(value, Section):
            update[name] = _merged(getattr(base, name), value)
        elif value is not None:
            update[name] = value
    return base.model_copy(update=update)


def _rule_errors(written: Config, config: Config) -> Iterator[tuple[Loc, str]]:
    """Check rules across fields. `written` shows whether an account has a value itself, or from the top level."""
    yield from _duplicates(config)
    for index, account in enumerate(config.accounts):
        loc: Loc = ("accounts", index)
        own = written.accounts[index]
        if not account.all_projects():
            yield loc, "needs regions, projects, or both"
        if account.poll.stale_after < account.poll.interval:
            ages = f"stale_after ({duration_text(account.poll.stale_after)})"
            limit = f"interval ({duration_text(account.poll.interval)})"
            yield (*loc, "poll") if own.poll.model_fields_set else ("poll",), f"{ages} must be at least {limit}"
        yield from cutover_errors(account, own, written, loc)
    yield from wave_errors(config)


def _duplicates(config: Config) -> Iterator[tuple[Loc, str]]:
    """Find duplicate names, labels, and projects, which would be polled and counted twice."""
    first: dict[str, Loc] = {}
    reported: set[Loc] = set()  # one error for each path: the same project also has the same label
    for value, loc in _unique_values(config):
        if first.setdefault(value, loc) != loc and loc not in reported:
            reported.add(loc)
            yield loc, f"{value} is already set at {path_text(first[value])}"


def _unique_values(config: Config) -> Iterator[tuple[str, Loc]]:
    for index, account in enumerate(config.accounts):
        loc: Loc = ("accounts", index)
        yield f"account {account.name}", (*loc, "name")
        for number, region in enumerate(account.regions):
            yield f"the default project of {region} in {account.name}", (*loc, "regions", number)
            yield f"project name {region} of {region} in {account.name}", (*loc, "regions", number)
        for number, project in enumerate(account.projects):
            project_loc = (*loc, "projects", number)
            id_loc = (*project_loc, "project_id") if project.project_id else project_loc
            if project.project_id:
                yield f"project {project.project_id} of {project.region}", id_loc
            elif project.iam_name == project.region:
                yield f"the default project of {project.region} in {account.name}", id_loc
            name_loc = (*project_loc, "name") if project.name else id_loc
            yield f"project name {project.label} of {project.region} in {account.name}", name_loc
    for index, wave in enumerate(config.waves):
        yield f"wave {wave.name}", ("waves", index, "name")
