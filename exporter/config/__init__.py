"""The configuration file, its environment variables and the files that it names: what other packages import of it."""

from exporter.config.collectors import COLLECTOR_OF, COLLECTORS, TASKS, Collector, Scope
from exporter.config.document import ConfigError, Document, Loc, NotReadyError, read_document
from exporter.config.environment import from_environment
from exporter.config.files import CaFile, Secret
from exporter.config.load import from_mapping, load, load_offline
from exporter.config.regions import REGIONS, region_hints
from exporter.config.schema import (
    Account,
    AkSk,
    Cloud,
    Collectors,
    CollectorSettings,
    Config,
    EcsAgency,
    Links,
    Password,
    Poll,
    Project,
    Proxy,
    Token,
)
from exporter.config.schema_errors import add_schema_errors
from exporter.config.section import Section
from exporter.config.storage import StorageSettings
from exporter.config.tasks import JOB_TYPES, NEEDS, Cutover, Rule, TaskRule, Tasks, stricter
from exporter.config.values import Duration, ListOf, ReadableFile, Text, base_url, duration_text, stamp, tag_label
from exporter.config.waves import Wave, WaveRule
