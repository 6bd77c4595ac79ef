"""A loopback server that plays the model, the search and the web; all its text is synthetic and says so."""

from briefworks.demo.server import DemoUpstream

__all__ = ["DemoUpstream"]
