"""The living exporter: projects, reload, publishing, signals."""
