"""One stream: its source, its worker thread, its newest samples, and how it is."""

from .acquisition import Stream
from .health import StreamHealth
from .source import ClockedSource, ClockEstimate, Condition, MonitoredSource, Source

__all__ = ["ClockEstimate", "ClockedSource", "Condition", "MonitoredSource", "Source", "Stream", "StreamHealth"]
