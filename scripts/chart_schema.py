"""Update the schema of the configuration in the schema of the Helm chart's values, for `make docs`.

The rest of values.schema.json is written by hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from exporter.docs.config_schema import config_schema

ROOT = Path(__file__).parents[1]
FILE = ROOT / "deploy" / "helm" / "drs-exporter" / "values.schema.json"


def updated(text: str) -> str:
    """Return the text of values.schema.json with the current schema of the configuration."""
    config = config_schema((ROOT / "config.example.yaml").read_text())
    definitions = {"Config": config, **config.pop("$defs")}
    del config["$schema"]
    types = definitions["Account"]["properties"]["credentials"]
    types |= by_type(types.pop("oneOf"), definitions)
    values = json.loads(text)
    values["properties"]["config"] = {"$ref": "#/$defs/Config"}
    values["$defs"] = without_literal_secrets(definitions)
    return json.dumps(values, indent=2) + "\n"


def by_type(references: list[dict[str, str]], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that selects one of these by the key `type`, so that Helm lists the errors of that one only."""
    types = [
        definitions[reference["$ref"].rpartition("/")[2]]["properties"]["type"]["const"] for reference in references
    ]
    chosen = [
        {"if": {"properties": {"type": {"const": name}}}, "then": reference}
        for name, reference in zip(types, references, strict=True)
    ]
    return {"type": "object", "required": ["type"], "properties": {"type": {"enum": types}}, "allOf": chosen}


def without_literal_secrets(part: Any) -> Any:
    """Return a schema that accepts a secret only as {env: NAME} or {file: PATH}, since it would be in a ConfigMap.

    The name of a user may be written there.
    """
    if isinstance(part, list):
        return [without_literal_secrets(item) for item in part]
    if not isinstance(part, dict):
        return part
    choices = part.get("anyOf", [])
    references = [choice for choice in choices if choice.get("properties", {}).keys() & {"env", "file"}]
    if references:
        keys = {key: value for choice in references for key, value in choice["properties"].items()}
        one = {"type": "object", "additionalProperties": False, "properties": keys, "minProperties": 1}
        return {key: value for key, value in part.items() if key != "anyOf"} | one | {"maxProperties": 1}
    return {key: value if key == "user" else without_literal_secrets(value) for key, value in part.items()}


if __name__ == "__main__":
    FILE.write_text(updated(FILE.read_text()))
