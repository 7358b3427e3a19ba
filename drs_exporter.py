"""Starts the program `drs-exporter`, unless another package named `exporter` is in the place of its own."""

import sys
from importlib.util import find_spec
from pathlib import Path

_INIT = Path(__file__).resolve().parent / "exporter" / "__init__.py"
_FIRST_WORDS = '"""drs-exporter:'
"""Of the file `_INIT`, unless the installation of another package has overwritten it."""


def main() -> int:
    """Run the command of this process; return its exit code, 1 if the package is not ours."""
    if found := foreign_package():
        remedy = "install drs-exporter into a virtual environment of its own, or with pipx"
        sys.stderr.write(f"drs-exporter: another package named exporter, {found}, is in the place of ours: {remedy}\n")
        return 1
    from exporter.__main__ import main as run  # noqa: PLC0415 - after the check

    return run()


def foreign_package() -> str:
    """Return where `import exporter` would find another package than ours; empty if it finds ours."""
    spec = find_spec("exporter")
    found = Path(spec.origin).resolve() if spec and spec.origin else _INIT
    if found == _INIT and _INIT.is_file() and _INIT.read_text(encoding="utf-8").startswith(_FIRST_WORDS):
        return ""
    return str(found)
