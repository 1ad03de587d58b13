"""What the samples of a session tell: how good they are (`report`), and whether its streams agree (`sync`)."""
