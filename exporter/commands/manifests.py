"""YAML for people, and the manifests of Kubernetes with rules and dashboards."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from typing import Any

import yaml

from exporter.commands.options import Parser, add_repeated

Manifest = dict[str, Any]

_NAME = re.compile(r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")

_QuickDumper: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_QuickDumper):  # type: ignore[misc, valid-type] # one of two classes
    """A dumper that writes text of several lines as a block, and no anchors and aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def yaml_text(*documents: object) -> str:
    """Return YAML that a person can read, without a line break at the end."""
    text = yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    return text.rstrip("\n")


def manifest(api_version: str, kind: str, name: str, labels: Mapping[str, str], **content: object) -> Manifest:
    """Return a manifest."""
    metadata = {"name": name, "labels": {"app.kubernetes.io/name": "drs-exporter", **labels}}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def config_map(name: str, labels: Mapping[str, str], data: Mapping[str, str]) -> Manifest:
    """Return a ConfigMap."""
    return manifest("v1", "ConfigMap", name, labels, data=dict(data))


def add_labels(parser: Parser) -> None:
    """Add the option for labels of manifests."""
    add_repeated(parser, "--label", "NAME=VALUE", "label of each manifest, such as release=prometheus", _label)


def reject_labels(options: argparse.Namespace) -> None:
    """Raise UsageError if there are labels, which only manifests have."""
    if options.label:
        options.parser.error(f"--label is for manifests, not for --format={options.format}")


def _label(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (separator and _NAME.fullmatch(name) and _VALUE.fullmatch(value)):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE of a label of Kubernetes")
    return name, value
