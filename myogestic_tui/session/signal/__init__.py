"""Samples on corrected time: blocks, runs without a gap, the cutting of windows."""
