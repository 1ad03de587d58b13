"""What was cut off becomes whole; what leaves a sessions folder goes to its trash."""
