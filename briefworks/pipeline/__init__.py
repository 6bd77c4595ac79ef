"""The durable run: the four phases as an Inngest function, one `step.run` for each piece of work."""

from briefworks.pipeline.ended import ended_function
from briefworks.pipeline.function import article_function
from briefworks.pipeline.parts import Parts

__all__ = ["Parts", "article_function", "ended_function"]
