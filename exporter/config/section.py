"""The base of all sections of the configuration."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Keys that belong together. An unknown key is an error, and no value is converted from another type."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)
