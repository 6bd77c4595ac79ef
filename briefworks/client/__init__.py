"""The SDK: an app over HTTP. It knows rows, requests and errors, and nothing of how articles are written."""

from briefworks.client.client import Asked, Client
from briefworks.client.place import ListedArticle, ListedPersona

__all__ = ["Asked", "Client", "ListedArticle", "ListedPersona"]
