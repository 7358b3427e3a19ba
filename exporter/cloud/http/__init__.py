"""HTTP client, errors, rate limits."""

from exporter.runtime.tls_context import without_cas_of_host

with without_cas_of_host():  # aiohttp creates two contexts when it is imported; no connection of the exporter uses them
    import aiohttp as aiohttp
