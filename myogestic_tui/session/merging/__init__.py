"""Sessions of several computers, side by side in one, on one clock."""
