"""The JSON Schema of the configuration accepts and rejects what the loader accepts and rejects."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ValidationError

from exporter.config import Account, Config, NotReadyError, read_document
from exporter.docs.config_schema import config_schema
from exporter.docs.key_comments import key_comments
from tests.lib.commands import CommandLine
from tests.lib.config_example import COMPLETE, EXAMPLE, provide_secrets
from tests.lib.paths import ROOT

SCHEMA = config_schema(EXAMPLE)
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OTHER: list[object] = [
    None,
    True,
    7,
    -1,
    0,
    1.5,
    "",
    "text",
    "5m",
    "0s",
    "5",
    "$FOO",
    [],
    {},
    ["x"],
    [7],
    {"unknown": 1},
]
OTHER += [
    {"credential": "a"},
    {"credential": "a/b"},
    {"credential": ""},
    "https://h/path?x",
    "http://h",
    "https://h",
    "2026-12-05",
    "on",
    {"env": "$A"},
    {"file": 1},
]
# What the schema accepts although the loader does not: the texts of these errors.
LEFT_TO_THE_LOADER = ("needs url", "needs user and password", "give at least one of", "must be at least 1d")


def errors(document: object, definition: str = "") -> list[str]:
    schema = {"$ref": f"#/$defs/{definition}", "$defs": SCHEMA["$defs"]} if definition else SCHEMA
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(document)]


def read(folder: Path, text: str) -> Any:
    (folder / "config.yaml").write_text(text)
    return read_document(folder / "config.yaml").data


def sections(data: dict[str, Any], definition: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping of the complete example with the name of its definition."""
    yield definition, data
    known = SCHEMA if definition == "Config" else SCHEMA["$defs"][definition]
    for key, value in data.items():
        names = re.findall(r"#/\$defs/(\w+)", json.dumps(known["properties"][key]))
        for item in value if isinstance(value, list) else [value]:
            fitting = [name for name in names if not errors(item, name)]
            if fitting:
                yield from sections(item, fitting[0])


def models(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    found = {model.__name__: model}
    for child in model.__subclasses__():
        found |= models(child)
    return found


def test_it_is_a_schema_of_draft_2020_12() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)


def test_its_patterns_need_no_look_around() -> None:
    patterns = re.findall(r'"pattern": ("(?:\\.|[^"\\])*")', json.dumps(SCHEMA))
    assert patterns
    assert not [pattern for pattern in patterns if "(?" in json.loads(pattern)]


@pytest.mark.parametrize("text", [EXAMPLE, COMPLETE], ids=["as it is", "complete"])
def test_the_example_is_valid(tmp_path: Path, text: str) -> None:
    assert errors(read(tmp_path, text)) == []


def test_the_documented_examples_are_valid(tmp_path: Path) -> None:
    account = {"name": "a", "cloud": "otc", "credentials": {"type": "ecs_agency"}, "regions": ["eu-de"]}
    seen = []
    for path in DOCUMENTS:
        for block in re.findall(r"^```yaml\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL):
            data = read(tmp_path, block)
            if data.keys() <= SCHEMA["properties"].keys():
                assert errors({"accounts": [account], **data}) == []
                seen.append(path.name)
            elif data.keys() <= SCHEMA["$defs"]["Account"]["properties"].keys():
                assert errors({**account, **data}, "Account") == []
                seen.append(path.name)
    assert set(seen) >= {"README.md", "configuration.md", "running.md"}
    assert len(seen) >= 8


def test_it_rejects_what_the_loader_rejects_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provide_secrets(tmp_path, monkeypatch)
    known = models(BaseModel)
    compared, differences = 0, []
    for definition, section in sections(read(tmp_path, COMPLETE), "Config"):
        for changed in variants(section) if definition != "Config" else ():
            compared += 1
            fault, found = loader_fault(known[definition], changed, tmp_path), errors(changed, definition)
            if bool(fault) != bool(found) and not any(text in fault for text in LEFT_TO_THE_LOADER):
                differences.append((definition, changed, fault, found))
    assert differences == []
    assert compared > 1000


def variants(section: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A mapping with each of its values replaced by each of many others, and without it."""
    for key in section:
        for value in OTHER:
            yield {**section, key: value}
        yield {name: value for name, value in section.items() if name != key}


def loader_fault(model: type[BaseModel], data: dict[str, Any], folder: Path) -> str:
    """The first error of the loader that is not about a missing file."""
    try:
        model.model_validate(data, context=folder)
    except ValidationError as error:
        details = error.errors(include_url=False)
        wrong = [each["msg"] for each in details if not isinstance(each.get("ctx", {}).get("error"), NotReadyError)]
        if wrong:
            return wrong[0]
    return "" if model is not Account or data.keys() & {"regions", "projects"} else "needs regions, projects, or both"


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"accounts": []},
        {"accounts": None},
        {"accounts": [{"name": "a", "cloud": "otc", "credentials": {"type": "ecs_agency"}}]},
        {"accounts": [{"name": "a", "cloud": "aws", "credentials": {"type": "ecs_agency"}, "regions": ["eu-de"]}]},
        {"accounts": [{"name": "a", "cloud": "otc", "credentials": {"type": "none"}, "regions": ["eu-de"]}]},
    ],
)
def test_a_document_without_valid_accounts_is_rejected(document: object) -> None:
    assert errors(document) != []


def test_an_unknown_key_is_rejected_wherever_it_is(tmp_path: Path) -> None:
    found = list(sections(read(tmp_path, COMPLETE), "Config"))
    assert {name for name, _ in found} >= SCHEMA["$defs"].keys() | {"Config"}
    for name, section in found:
        assert errors({**section, "unknown": 1}, "" if name == "Config" else name) != []


def test_keys_have_the_comments_of_the_example_as_descriptions() -> None:
    comments = key_comments(EXAMPLE)
    assert comments["poll", "timeout"] == "of one call. Longer for slow links"
    assert SCHEMA["$defs"]["Poll"]["properties"]["timeout"]["description"] == comments["poll", "timeout"]
    assert SCHEMA["properties"]["links"]["description"].startswith("Links on the pages to other programs")
    assert "description" not in SCHEMA["$defs"]["Token"]["properties"]["type"]


def test_defaults_are_written_as_users_write_them() -> None:
    poll = SCHEMA["$defs"]["Poll"]["properties"]
    assert (poll["stale_after"]["default"], poll["rate_limit"]["default"]) == ("5m", 3.0)
    assert "default" not in poll["operation_rate_limit"]
    assert Config.model_fields["poll"].get_default(call_default_factory=True).stale_after == 300.0


def test_the_command_prints_it(command_line: CommandLine) -> None:
    code, output, notes = command_line("schema")
    assert (code, json.loads(output), notes) == (0, SCHEMA, "")
