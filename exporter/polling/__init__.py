"""Which queries are sent to the cloud, and when."""
