"""When the cloud is queried for what."""
