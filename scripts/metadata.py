"""The metadata of the package that need the public address of the repository, which scripts/project_url.sh prints."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_URLS = {
    "Homepage": "",
    "Documentation": "/blob/HEAD/README.md#documentation",
    "Changelog": "/blob/HEAD/CHANGELOG.md",
    "Issues": "/issues",
}
_RELATIVE = r"""(?![a-z]+:|\#)(?P<path>[^)"\s]+)"""
_TARGET = re.compile(rf'(?P<before>\]\(|(?:src|srcset)="){_RELATIVE}')
_PICTURE = re.compile(r'<picture>.*? alt="(?P<text>[^"]*)".*?</picture>', re.DOTALL)
_LINK = re.compile(rf"!?\[(?P<text>[^][]*)\]\({_RELATIVE}\)")


class AddressedMetadata(MetadataHookInterface):
    """Adds the long description, whose links also work outside of the repository, and the URLs of the project."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `readme` and `urls`; without a public address, no link and no URL."""
        root = Path(self.root)
        command = ("sh", root / "scripts" / "project_url.sh")
        url = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()  # noqa: S603
        readme = (root / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": long_description(readme, url)}
        metadata["urls"] = {name: url + path for name, path in _URLS.items()} if url else {}


def long_description(readme: str, url: str) -> str:
    """Return a README whose relative links lead to the repository at a URL; without one, only their text is left."""
    if url:
        return _TARGET.sub(lambda match: match["before"] + _absolute(match["path"], url), readme)
    text = _PICTURE.sub(r"\g<text>", readme)
    for _ in ("picture", "link around it"):
        text = _LINK.sub(r"\g<text>", text)
    return text


def _absolute(path: str, url: str) -> str:
    return f"{url}/{'raw' if path.endswith('.png') else 'blob'}/HEAD/{path}"
