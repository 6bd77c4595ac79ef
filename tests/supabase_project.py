"""What a Supabase project knows and decides, over a real PostgreSQL: its keys, users, tokens and calls."""

from __future__ import annotations

import json
import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import jwt
import psycopg
from cryptography.hazmat.primitives.asymmetric import ec
from psycopg import sql

from realtime_channels import BadToken

PUBLISHABLE_KEY = "sb_publishable_" + "p" * 30
SECRET_KEY = "sb_secret_" + "s" * 30
JWT_SECRET = "the project's legacy secret, longer than thirty-two bytes"
PASSWORD = "a password of the tests"
AUDIENCE = "authenticated"
# PostgREST's status for what the database refuses, by the beginning of its code; else 400.
STATUS = (("42501", 403), ("23503", 409), ("23505", 409), ("08", 503), ("53", 503), ("40", 500),
          ("55", 500), ("57", 500), ("XX", 500), ("28", 403), ("42883", 404), ("42P01", 404))  # fmt: skip


class Refused(Exception):
    """An answer that is not 200."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body)
        self.status, self.body = status, body


@dataclass
class User:
    email: str
    password: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class Project:
    """One project in front of `database_url`."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.url = ""  # set by who serves it
        self.lifetime_s = 3600.0  # of the tokens that sign-in gives
        self.alg = "ES256"
        self.users: dict[str, User] = {}
        self._refresh: dict[str, User] = {}
        self._kid = uuid.uuid4().hex
        self._signing_key = ec.generate_private_key(ec.SECP256R1())

    # --- tokens
    def mint(self, user_id: str, lifetime_s: float = 3600, alg: str = "", **claims: Any) -> str:
        """A user's token, HS256 or ES256."""
        now, alg = time.time(), alg or self.alg
        body = {
            "iss": f"{self.url}/auth/v1", "aud": AUDIENCE, "role": AUDIENCE, "sub": user_id,
            "iat": int(now), "exp": int(now + lifetime_s), "session_id": str(uuid.uuid4()), **claims,
        }  # fmt: skip
        if alg == "HS256":
            return jwt.encode(body, JWT_SECRET, alg)
        return jwt.encode(body, self._signing_key, alg, headers={"kid": self._kid})

    def jwks(self) -> dict[str, Any]:
        key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self._signing_key.public_key()))
        return {"keys": [{**key, "kid": self._kid, "alg": "ES256", "use": "sig", "key_ops": ["verify"]}]}

    def claims(self, token: str) -> dict[str, Any]:
        """What a token, or a key of the project, says its bearer is; `BadToken` in Realtime's words."""
        if token in (PUBLISHABLE_KEY, SECRET_KEY):
            return {"role": "anon" if token == PUBLISHABLE_KEY else "service_role"}
        try:
            ours = jwt.get_unverified_header(token)["alg"]
            key = JWT_SECRET if ours == "HS256" else self._signing_key.public_key()
            return jwt.decode(token, key, [ours], options={"verify_aud": False})
        except jwt.ExpiredSignatureError:
            exp = jwt.decode(token, options={"verify_signature": False})["exp"]
            raise BadToken(
                f"InvalidJWTToken: Token has expired {time.time() - exp:.0f} seconds ago"
            ) from None
        except jwt.InvalidSignatureError:
            raise BadToken("JwtSignatureError: Failed to validate JWT signature") from None
        except (jwt.InvalidTokenError, KeyError):
            raise BadToken("MalformedJWT: The token provided is not a valid JWT") from None

    # --- users
    def add_user(self, email: str, *projects: str, password: str = PASSWORD) -> User:
        """A user, a member of these projects."""
        self.users[email] = user = User(email, password)
        with psycopg.connect(self.database_url, autocommit=True) as db:
            for project_id in projects:
                db.execute("insert into article_members values (%s, %s)", [project_id, user.id])
        return user

    def sign_in(self, grant: str, asked: dict[str, Any]) -> dict[str, Any]:
        if grant == "password":
            user = self.users.get(asked.get("email", ""))
            if not user or user.password != asked.get("password"):
                raise _auth_refusal("invalid_credentials", "Invalid login credentials")
        elif grant == "refresh_token":
            user = self._refresh.pop(asked.get("refresh_token", ""), None)
            if not user:
                words = "Invalid Refresh Token: Refresh Token Not Found"
                raise _auth_refusal("refresh_token_not_found", words)
        else:
            raise _auth_refusal("validation_failed", "unsupported_grant_type")
        refresh_token = secrets.token_hex(6)
        self._refresh[refresh_token] = user
        return {
            "access_token": self.mint(user.id, self.lifetime_s, email=user.email), "token_type": "bearer",
            "expires_in": int(self.lifetime_s), "expires_at": int(time.time() + self.lifetime_s),
            "refresh_token": refresh_token, "user": self.shown(user),
        }  # fmt: skip

    def shown(self, user: User) -> dict[str, Any]:
        at = "2026-11-25T12:00:00.000000Z"
        return {
            "id": user.id, "aud": AUDIENCE, "role": AUDIENCE, "email": user.email, "phone": "",
            "app_metadata": {"provider": "email", "providers": ["email"]}, "user_metadata": {},
            "identities": [], "created_at": at, "updated_at": at, "email_confirmed_at": at,
            "last_sign_in_at": at, "is_anonymous": False,
        }  # fmt: skip

    def user_of(self, token: str) -> User:
        try:
            user_id = self.claims(token).get("sub")
        except BadToken as error:
            raise Refused(403, {"code": 403, "error_code": "bad_jwt", "msg": str(error)}) from None
        return next((user for user in self.users.values() if user.id == user_id), User("", "", user_id or ""))

    def remove(self, user: User, project_id: str) -> None:
        """From the members."""
        with psycopg.connect(self.database_url, autocommit=True) as db:
            db.execute("delete from article_members where project_id = %s and user_id = %s",
                       [project_id, user.id])  # fmt: skip

    # --- the database, as somebody
    def may_read(self, name: str, claims: dict[str, Any]) -> bool:
        """Realtime's own question: does the reader see a row of the topic?"""
        with psycopg.connect(self.database_url) as db, db.transaction(force_rollback=True):
            db.execute("insert into realtime.messages (topic, extension) values (%s, 'broadcast')", [name])
            _act(db, claims, realtime_topic=name)
            return (
                db.execute("select 1 from realtime.messages where topic = %s", [name]).fetchone() is not None
            )

    def call(self, function: str, arguments: dict[str, Any], token: str) -> Any:
        """The function's answer, as PostgREST gives it; `Refused` in its shape."""
        try:
            claims = self.claims(token)
        except BadToken as error:
            over = "expired" in str(error)
            body = {
                "code": "PGRST303" if over else "PGRST301",
                "message": "JWT expired" if over else str(error),
            }
            raise Refused(401, {**body, "details": None, "hint": None}) from None
        try:
            with psycopg.connect(self.database_url) as db:
                query = _query(db, function, arguments)
                _act(db, claims)
                (answer,) = db.execute(query, [json.dumps(arguments)]).fetchone()
                return answer
        except psycopg.Error as error:
            raise _said(error, claims) from None


def _act(db: psycopg.Connection, claims: dict[str, Any], realtime_topic: str = "") -> None:
    """From here to the end of the transaction the database is asked by whoever the claims say."""
    for name, value in (
        ("role", claims["role"]),
        ("request.jwt.claims", json.dumps(claims)),
        ("request.jwt.claim.sub", claims.get("sub", "")),
        ("request.jwt.claim.role", claims["role"]),
        ("realtime.topic", realtime_topic),
    ):
        db.execute("select set_config(%s, %s, true)", [name, value])


def _query(db: psycopg.Connection, function: str, arguments: dict[str, Any]) -> sql.Composed:
    """The call, with the arguments' types as the database declares them."""
    found = db.execute(
        "select p.proargnames, array(select format_type(t, null) from unnest(p.proargtypes) t)"
        " from pg_proc p where p.proname = %s and p.pronamespace = 'public'::regnamespace",
        [function],
    ).fetchone()
    if not found or not set(arguments) <= set(found[0] or ()):
        words = f"Could not find the function public.{function}({', '.join(arguments)}) in the schema cache"
        raise Refused(404, {"code": "PGRST202", "message": words, "details": None, "hint": None})
    types = dict(zip(found[0] or (), found[1], strict=False))
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(types[name])) for name in arguments
    )
    named = sql.SQL(", ").join(sql.SQL("{0} => a.{0}").format(sql.Identifier(name)) for name in arguments)
    called = sql.SQL("select to_jsonb(public.{}({}))").format(sql.Identifier(function), named)
    if not arguments:
        return called + sql.SQL(" where %s::jsonb is not null")
    return called + sql.SQL(" from jsonb_to_record(%s::jsonb) as a({})").format(columns)


def _said(error: psycopg.Error, claims: dict[str, Any]) -> Refused:
    code = error.sqlstate or "PGRST000"
    status = next((status for start, status in STATUS if code.startswith(start)), 400)
    status = 401 if status == 403 and claims["role"] == "anon" else status
    status = int(code[2:]) if code.startswith("PT") else status
    status = 503 if code == "PGRST000" else status
    body = {"code": code, "message": error.diag.message_primary or "no connection to the database",
            "details": error.diag.message_detail, "hint": error.diag.message_hint}  # fmt: skip
    return Refused(status, body)


def _auth_refusal(code: str, words: str) -> Refused:
    return Refused(400, {"code": 400, "error_code": code, "msg": words})
