"""What a request to a model costs, from the price list in `prices.json`, or one of one's own in its form."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from briefworks.account import PriceSource
from briefworks.errors import ConfigError

_DATED = re.compile(r"-\d{8}$")
_Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rates(_Form):
    """USD per million tokens; what the model thinks counts as output."""

    input: _Usd
    output: _Usd
    cache_read: _Usd
    cache_write: _Usd


class Above(Rates):
    """The rates of a request whose prompt is longer than that."""

    prompt_tokens: int


class Row(Rates):
    source: str
    above: Above | None = None


class Source(_Form):
    url: str
    as_of: str


class PriceList(_Form):
    """The models with a known price, each with the place and the day it was found."""

    version: str
    about: str = ""
    sources: dict[str, Source]
    models: dict[str, Row]

    @model_validator(mode="after")
    def _sources_are_there(self) -> Self:
        for name, row in self.models.items():
            if row.source not in self.sources:
                raise ValueError(f"{name}: there is no source {row.source!r}")
        return self

    def source(self, model: str) -> PriceSource | None:
        """Where the price of a model comes from; None when it has none."""
        row = self._row(model)
        if row is None:
            return None
        source = self.sources[row.source]
        return {"url": source.url, "as_of": source.as_of, "version": self.version}

    def price(
        self,
        model: str,
        *,
        input_tokens: int,
        output_tokens: int,
        cache_read_tokens: int = 0,
        cache_write_tokens: int = 0,
    ) -> float | None:
        """
        USD for one request, or None when the model is not in the list.

        `input_tokens` are those neither read from nor written to the cache. An id with its date behind it
        (`claude-haiku-4-5-20251001`) costs what the one without costs.
        """
        row = self._row(model)
        if row is None:
            return None
        prompt_tokens = input_tokens + cache_read_tokens + cache_write_tokens
        rates = row.above if row.above and prompt_tokens > row.above.prompt_tokens else row
        millionths = (
            input_tokens * rates.input
            + output_tokens * rates.output
            + cache_read_tokens * rates.cache_read
            + cache_write_tokens * rates.cache_write
        )
        return millionths / 1_000_000

    def _row(self, model: str) -> Row | None:
        return self.models.get(model) or self.models.get(_DATED.sub("", model))


@cache
def price_list(own: Path | None = None) -> PriceList:
    """Ours, with the rows of one's `own` file before it; `ConfigError` says what is wrong with that."""
    ours = PriceList.model_validate_json(files("briefworks").joinpath("prices.json").read_bytes())
    if own is None:
        return ours
    try:
        theirs = PriceList.model_validate_json(own.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"The price list {own} cannot be read: {error.strerror}.", hint="Mend BRIEFWORKS_PRICES."
        ) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigError(
            f"The price list {own} is not in the form of ours: {where or 'it'}: {first['msg']}.",
            hint="Mend it; briefworks/prices.json is the pattern.",
        ) from None
    named = {f"own {name}": source for name, source in theirs.sources.items()}
    rows = {
        name: row.model_copy(update={"source": f"own {row.source}"}) for name, row in theirs.models.items()
    }
    return PriceList(
        version=f"{ours.version}, {theirs.version} of one's own",
        sources={**ours.sources, **named},
        models={**ours.models, **rows},
    )


def price(model: str, **tokens: int) -> float | None:
    """`PriceList.price` of our list."""
    return price_list().price(model, **tokens)
