"""The way of a sample from `Session.append` through the journal into the arrays."""
