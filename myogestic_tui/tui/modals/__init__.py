"""What may lie over a screen: questions, lines for typing, forms, longer texts. The recording continues."""
