"""briefworks over HTTP: `create_app()` for a server of its own, `mount(app)` for an app of one's own."""

from briefworks.web.app import create_app, mount

__all__ = ["create_app", "mount"]
