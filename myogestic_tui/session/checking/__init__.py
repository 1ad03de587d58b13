"""Verification: what is wrong with a session, said so that a person understands it."""
