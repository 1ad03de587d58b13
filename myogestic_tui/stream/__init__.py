"""One stream: its source, its worker thread, its newest samples, and how it is."""

from .health import StreamHealth
from .source import ClockedSource, ClockEstimate, Condition, MonitoredSource, Source
from .worker import Stream

__all__ = ["ClockEstimate", "ClockedSource", "Condition", "MonitoredSource", "Source", "Stream", "StreamHealth"]
