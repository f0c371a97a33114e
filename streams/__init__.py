"""Factwatch: sources, stages, state, sinks and runners of the event stream."""

__version__ = "0.1.0"
