"""HTTP client, errors, rate limits."""
