"""The HTTP server: pages, API, /metrics, authentication."""
