"""The API's JSON, decoded into facts."""
