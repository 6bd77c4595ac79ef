"""Registration: what an app says about its functions, checked; what is left out is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from briefworks.errors import RequestInvalid
from briefworks.executor import triggers, wire
from briefworks.executor.records import ELSEWHERE, Cancel, Function, Limit, Trigger

DEFAULT_RETRIES = 4
LEFT_OUT = {
    "batchEvents": "event batching",
    "debounce": "debounce",
    "priority": "priority",
    "rateLimit": "rate limits",
    "singleton": "singleton",
    "throttle": "throttling",
}


def _expression(text: str) -> str:
    if text:
        triggers.check(text)
    return text


def _duration(text: Any) -> Any:
    return wire.duration_s(text) if isinstance(text, str) else text


def _one_or_more(value: Any) -> Any:
    """Concurrency may be a number, one object or a list of them."""
    if isinstance(value, int) and not isinstance(value, bool):
        return [{"limit": value}]
    return [value] if isinstance(value, dict) else value


def _http(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http(s) URL")
    return url


Expression = Annotated[str, AfterValidator(_expression)]
Seconds = Annotated[float, BeforeValidator(_duration)]
Url = Annotated[str, AfterValidator(_http)]
Name = Annotated[str, Field(min_length=1, max_length=256)]


class _Said(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _Trigger(_Said):
    event: Name
    expression: Expression | None = None


class _Cancel(_Said):
    event: Name
    if_: Expression | None = Field(None, alias="if")
    timeout: Seconds | None = None


class _Limit(_Said):
    limit: int = Field(ge=0)
    key: Expression | None = None
    scope: Literal["fn", "env", "account"] | None = None


class _Timeouts(_Said):
    start: Seconds | None = None
    finish: Seconds | None = None


class _Retries(_Said):
    attempts: int = Field(ge=0, le=20)


class _Runtime(_Said):
    type: Literal["http"]
    url: Url


class _Step(_Said):
    id: Name
    name: str = ""
    retries: _Retries | None = None
    runtime: _Runtime


class _Function(_Said):
    id: Name
    name: str | None = None
    triggers: list[_Trigger] = Field(min_length=1, max_length=10)
    steps: dict[str, _Step] = Field(min_length=1, max_length=1)
    cancel: list[_Cancel] | None = Field(None, max_length=5)
    concurrency: Annotated[list[_Limit] | None, BeforeValidator(_one_or_more), Field(max_length=2)] = None
    idempotency: Expression | None = None
    timeouts: _Timeouts | None = None


class _App(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    appname: Name
    url: Url
    functions: list[dict[str, Any]] = Field(min_length=1, max_length=1000)


@dataclass(frozen=True)
class Registration:
    """An app and its functions, each also as the canonical JSON that the journal keeps."""

    app_id: str
    url: str
    functions: tuple[tuple[Function, str], ...]


def read_registration(body: Any) -> Registration:
    """`RequestInvalid` says which function uses what, or which field is wrong."""
    try:
        app = _App.model_validate(body)
    except ValidationError as error:
        raise RequestInvalid(_sentence(error, "The registration")) from None
    functions = tuple((read_function(app.appname, said), wire.canonical(said)) for said in app.functions)
    if len({function.fn_id for function, _ in functions}) < len(functions):
        raise RequestInvalid("Two functions of the app have the same id.")
    return Registration(app.appname, app.url, functions)


def read_function(app_id: str, said: Mapping[str, Any]) -> Function:
    """One function out of a registration; `RequestInvalid` as above."""
    fn_id = str(said.get("id", ""))[:256]
    said = {key: item for key, item in said.items() if item is not None}
    for key, name in LEFT_OUT.items():
        if key in said:
            _refuse(fn_id, name)
    for trigger in said["triggers"] if isinstance(said.get("triggers"), list) else []:
        if isinstance(trigger, dict) and "cron" in trigger:
            _refuse(fn_id, "cron triggers")
    try:
        function = _Function.model_validate(said)
    except ValidationError as error:
        raise RequestInvalid(_sentence(error, f"Function {fn_id!r}")) from None
    step = next(iter(function.steps.values()))
    retries = DEFAULT_RETRIES if step.retries is None else step.retries.attempts
    timeouts = function.timeouts or _Timeouts()
    return Function(
        fn_id=function.id,
        app_id=app_id,
        name=function.name or function.id,
        url=step.runtime.url,
        triggers=tuple(Trigger(each.event, each.expression or "") for each in function.triggers),
        max_attempts=retries + 1,
        cancels=tuple(Cancel(each.event, each.if_ or "", each.timeout) for each in function.cancel or ()),
        limits=tuple(
            Limit(each.limit, each.key or "", each.scope or "fn")
            for each in function.concurrency or ()
            if each.limit
        ),
        idempotency=function.idempotency or "",
        start_within_s=timeouts.start,
        finish_within_s=timeouts.finish,
    )


def _refuse(fn_id: str, name: str) -> None:
    raise RequestInvalid(
        f"Function {fn_id!r} uses {name}, which the embedded executor leaves out; {ELSEWHERE}", field=name
    )


def _sentence(error: ValidationError, what: str) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{what}: {where}: {first['msg']}" if where else f"{what}: {first['msg']}"
