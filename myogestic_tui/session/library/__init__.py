"""Many sessions: their list, copies, edits, and long work in the background."""
