"""A session as it is found, in whatever state; nothing here writes."""
