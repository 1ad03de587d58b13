"""What a session's files look like: names, JSON, chunks, journal frames, locks, and how an array is committed."""
