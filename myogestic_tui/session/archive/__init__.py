"""A session as one file: the bytes of the zip, its members, its manifest."""
