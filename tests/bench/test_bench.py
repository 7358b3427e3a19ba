"""That the parts run, at a size that says nothing of speed."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.bench import calls, cycle, live, pages, paper, parts, start
from tests.bench.measure import Result, Row, Table
from tests.bench.paper import Story, told
from tests.bench.report import allowance_markdown, performance_markdown, shown
