"""The files for users that ship inside the package: rules, dashboards, the example of the configuration and others.

pyproject.toml lists them. The build of a package copies them into its folder `assets`; a checkout has no copies, and
uses the files of the repository.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent
_IN_PACKAGE = f"{_PACKAGE.name}/assets"
CONFIG_EXAMPLE = "config.example.yaml"


def asset_files() -> dict[str, Path]:
    """Return all files by their paths for the user, such as `prometheus/drs-rules.yml`.

    Raises:
        OSError: the package is incomplete.
    """
    copies = _PACKAGE.parent / _IN_PACKAGE
    files = _files_in(copies) if copies.is_dir() else _files_of_checkout(_PACKAGE.parent)
    runbooks = _files_in(_PACKAGE / "web" / "runbooks")  # the exporter serves them as well
    return dict(sorted({**files, **{f"runbooks/{name}": path for name, path in runbooks.items()}}.items()))


def config_example() -> str:
    """Return the example of the configuration; raises OSError if the package is incomplete."""
    return asset_files()[CONFIG_EXAMPLE].read_text(encoding="utf-8")


def _files_of_checkout(root: Path) -> dict[str, Path]:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    listed: dict[str, str] = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    files: dict[str, Path] = {}
    for source, target in listed.items():
        name, path = target.removeprefix(f"{_IN_PACKAGE}/"), root / source
        files |= {f"{name}/{each}": file for each, file in _files_in(path).items()} if path.is_dir() else {name: path}
    return files


def _files_in(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
