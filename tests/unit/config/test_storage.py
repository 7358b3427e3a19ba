"""The settings of the storage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exporter.config import StorageSettings, from_mapping, load
from tests.lib.settings import fault_of, otc_account


def settings_of(**keys: Any) -> StorageSettings:
    return from_mapping({"accounts": [otc_account()], "storage": keys}).storage


def test_by_default_nothing_is_stored() -> None:
    assert settings_of() == StorageSettings(path=None, keep=30 * 86_400.0, max_size=512_000_000)
    assert settings_of(path=None).path is None


def test_a_path_is_relative_to_the_file_and_need_not_exist(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "accounts: [{name: a, cloud: otc, regions: [eu-de], credentials: {type: token, token: x}}]\n"
        "storage: {path: state/drs}\n"
    )
    assert load(file).storage.path == tmp_path / "state" / "drs"
    assert settings_of(path=str(tmp_path)).path == tmp_path


@pytest.mark.parametrize(
    ("size", "number"),
    [("20MB", 20_000_000), ("1GB", 10**9), ("20MiB", 20 * 2**20), ("2GiB", 2**31), (512_000_000, 512_000_000)],
)
def test_a_size(size: object, number: int) -> None:
    assert settings_of(max_size=size).max_size == number


@pytest.mark.parametrize("size", ["19MB", "1001GB", "20", "20 MB", "20mb", "1.5GB", "-1GB", True, 1.5, "", 5])
def test_no_size(size: object) -> None:
    assert "storage.max_size: expected a size such as 512MB or 2GB" in fault_of(settings_of, max_size=size)


def test_records_are_kept_for_a_day_at_least() -> None:
    assert settings_of(keep="1d").keep == 86_400
    assert fault_of(settings_of, keep="23h") == "storage.keep: must be at least 1d"


def test_a_path_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for path in (str(file), ""):
        assert "storage.path: expected a directory" in fault_of(settings_of, path=path)
    assert "storage.path" in fault_of(settings_of, path=5)


def test_a_path_that_cannot_be_examined_is_left_to_the_storage(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300)  # as one below a directory that is closed to the user
    assert settings_of(path=str(path)).path == path
