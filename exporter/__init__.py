"""drs-exporter: Huawei Cloud DRS tasks for Prometheus."""
