"""The configuration file, its environment variables and the files that it names."""
