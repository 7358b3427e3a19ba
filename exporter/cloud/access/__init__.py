"""Credentials, signing, sign-in, project ids."""
