from __future__ import annotations

from itertools import chain
from typing import Any

import pytest

from exporter.cloud.http.error_codes import known_code
from exporter.cloud.wire.fields import Wire
from exporter.commands.check_report import Shape, kind
from exporter.config import REGIONS
from exporter.model.task import STATUSES
from exporter.views import known_words
from exporter.views.known_words import KEYS, LABEL_WORDS, WORD_KEYS, WORDS
from tests.lib.cloud import document as documented
from tests.lib.commands import CANARY

ID = "c7debc9c-8e09-4a5d-8dd6-cc44f78jb20r"
DOCUMENTS = (
    *("v3_batch_progress_doc1", "v3_batch_progress_doc2", "v3_list_jobs_doc", "v5_job_detail_doc"),
    "v5_list_jobs_doc",
)


def shape(*bodies: Any) -> dict[str, Any]:
    laid = Shape()
    for body in bodies:
        laid.add(body)
    return laid.data()


def test_bodies_are_laid_over_each_other() -> None:
    assert shape(
        {"jobs": [{"id": ID, "status": "PAUSING", "name": "PAUSING"}], "total_count": 1},
        {"jobs": [{"id": 7, "status": "HACKED", "tags": {"team": "x", "owner": "y"}}], "total_count": "1"},
        None,
    ) == {
        "body": {
            ".": "null, object",
            "jobs": "list of 1",
            "jobs[]": "object",
            "jobs[].id": "integer number, string id",
            "jobs[].name": "string text",
            "jobs[].status": "string PAUSING, string text",
            "jobs[].tags": "object",
            "jobs[].tags.other": "string text",
            "total_count": "integer number, string number",
        },
        "unknown_keys": {"jobs[].tags": 2},
    }


def test_unknown_keys_are_looked_into() -> None:
    assert shape({"surprise": {"delay": -1, CANARY: [1, 2]}}) == {
        "body": {
            ".": "object",
            "other": "object",
            "other.delay": "integer minus one",
            "other.other": "list of 2 to 9",
            "other.other[]": "integer number",
        },
        "unknown_keys": {".": 1, "other": 1},
    }


KINDS: dict[str, list[Any]] = {
    "null": [None],
    "boolean": [True],
    "integer number": [0],
    "integer minus one": [-1],
    "number minus one": [-1.0],
    "integer epoch ms": [1608274919000],
    "number number": [2.5],
    "string empty": ["", "  "],
    "string null-like": ["null", "N/A", "NA", "-"],
    "string minus one": ["-1", "-1.00"],
    "string number": ["0", "+12.50"],
    "string epoch ms": ["1608274919000"],
    "string percent": ["94%", "94.5 %"],
    "string iso Z": ["2026-06-26T17:08:57Z", "2020-09-01T18:50:20.200Z"],
    "string iso offset": ["2026-06-26T17:08:57+08:00"],
    "string naive time": ["2020-12-21 10:57:49"],
    "string id": [ID, "c2c7579bc09c490b9d8009db715aeb0ain14", "054ba152d480d55b2f5dc0069e7ddef0"],
    "string text": ["192.0.2.7", "mysql-bin-changelog.001731:544", "SUCCESSFUL", "DRS.M00102"],
    "list of 0": [[]],
    "list of 2 to 9": [[1] * 9],
    "list of 10 to 99": [[1] * 10],
    "list of 100 to 999": [[1] * 100],
    "list of 1000 or more": [[1] * 1000],
    "object": [{}],
}


@pytest.mark.parametrize("expected", KINDS)
def test_kinds(expected: str) -> None:
    assert {kind("name", value) for value in KINDS[expected]} == {expected}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("status", "SUCCESSFUL", "string SUCCESSFUL"),
        ("status", " SUCCESSFUL ", "string SUCCESSFUL"),
        ("status", "SUCCESSFULLY", "string text"),
        ("user_name", "SUCCESSFUL", "string text"),
        ("error_code", "DRS.M00102", "string DRS.M00102"),
        ("error_code", "DRS.M00102.example.com", "string text"),
        ("error_code", "db.example.com", "string text"),
    ],
)
def test_words_are_shown_only_under_keys_with_documented_words(key: str, value: str, expected: str) -> None:
    assert kind(key, value) == expected


@pytest.mark.parametrize("code", [None, 7, "", "APIGW.0301", "DRS.10000010", "DRS.M00102 ", "DRS.M00102\n", "IAM.x"])
def test_codes(code: object) -> None:
    assert known_code(code) == (code if code in {"APIGW.0301", "DRS.10000010"} else None)


def test_depth_has_an_end() -> None:
    body: Any = "bottom"
    for _ in range(500):
        body = {"job": [body]}
    paths = shape(body)["body"]
    assert (len(paths), max(path.count("job") for path in paths)) == (13, 6)


def wires(base: type[Wire] = Wire) -> list[type[Wire]]:
    """All wire models."""
    return [model for wire in base.__subclasses__() for model in (wire, *wires(wire))]


def test_every_key_that_the_exporter_reads_is_known() -> None:
    read = set()
    for model in wires():
        if (
            model.__module__.rpartition(".")[2] in {"sign_in", "project_id", "agency", "credentials"}
            or "tests" in model.__module__
        ):
            continue
        for name, info in model.model_fields.items():
            alias = info.validation_alias
            read |= {str(choice) for choice in getattr(alias, "choices", [alias or name])}
    assert read - KEYS == set()
    assert read.isdisjoint(known_words._LISTS["keys"].split())


def test_every_status_is_known_from_the_table_of_phases_alone() -> None:
    assert STATUSES.keys() <= WORDS
    assert STATUSES.keys().isdisjoint(chain.from_iterable(LABEL_WORDS.values()))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_key_of_the_documents_is_known(name: str) -> None:
    assert shape(documented(name))["unknown_keys"] == {}


def test_the_keys_of_words_are_documented() -> None:
    assert WORD_KEYS <= KEYS
    assert not {word for word in WORDS | KEYS | REGIONS if not word.replace("_", "").replace("-", "").isalnum()}
