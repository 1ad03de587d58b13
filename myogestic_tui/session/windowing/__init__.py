"""Windows for training: planned once for each session (`plan`), then cut one by one, into arrays, or by number."""
