"""`briefworks doctor` on a Supabase project: what can be wrong for a user has a name and a way out."""

import re

import psycopg
import pytest
from click.testing import CliRunner

from briefworks.cli import main
from realtime_peer import RealtimePeer
from supabase_project import JWT_SECRET, PUBLISHABLE_KEY, SECRET_KEY

ADA = "ada@example.org"


@pytest.fixture(scope="module")
def peer(postgres):
    peer = RealtimePeer(postgres.url(postgres.migrated(supabase=True)))
    peer.project.add_user(ADA, "p")
    yield peer
    peer.close()


@pytest.fixture
def doctor(peer, tmp_path, monkeypatch):
    """What it tells, of a user's token unless others are asked for."""
    monkeypatch.chdir(tmp_path)
    token = peer.project.mint(peer.project.users[ADA].id)

    def run(*args, said=token, **more):
        env = {"BRIEFWORKS_STORE": "supabase", "SUPABASE_URL": peer.url, "SUPABASE_SECRET_KEY": SECRET_KEY,
               "SUPABASE_PUBLISHABLE_KEY": PUBLISHABLE_KEY, "BRIEFWORKS_USER_TOKEN": "", **more}  # fmt: skip
        args = args or ("--project", "p", "--user-token", "-")
        told = CliRunner().invoke(main, ["doctor", *args], env=env, input=f"{said}\n").output
        assert not any(secret in told for secret in (said, SECRET_KEY, JWT_SECRET) if secret)
        return told

    return run


def test_a_member_is_told_that_all_is_sound(doctor, peer):
    told = doctor()
    for name in ("store", "clock", "users", "membership", "Realtime"):
        assert f"✓  {name}" in told, told
    told = doctor("--project", "p", "--user", peer.project.users[ADA].id, SUPABASE_JWT_SECRET=JWT_SECRET)
    assert "✓  membership" in told and "✓  Realtime" in told
    told = doctor(
        "--project", "p", said="", BRIEFWORKS_USER_TOKEN=peer.project.mint(peer.project.users[ADA].id)
    )
    assert "✓  membership" in told
    assert "not tried without a user" in doctor("--project", "p")


def test_a_missing_membership_is_named_with_the_row_that_is_missing(doctor, peer):
    told = doctor("--project", "q", "--user-token", "-")
    user = peer.project.users[ADA].id
    assert f"✗  membership: {user} is no member" in told
    (hint,) = [line for line in told.splitlines() if "insert into article_members" in line]
    with psycopg.connect(peer.project.database_url) as db:
        db.execute(hint.strip().partition(";")[0])
        assert db.execute("select count(*) from article_members where project_id = 'q'").fetchone() == (1,)
        db.rollback()
    assert "✗  Realtime: Realtime refuses the join" in told


def test_a_database_that_lacks_the_newest_migration_is_named(doctor, peer):
    newest = "alter function {}(jsonb[]) rename to {}"
    with psycopg.connect(peer.project.database_url, autocommit=True) as db:
        db.execute(newest.format("article_projects_of", "not_yet"))
        try:
            told = doctor("--project", "p")
        finally:
            db.execute(newest.format("not_yet", "article_projects_of"))
    assert "✗  store: The database lacks" in told and "briefworks migrate" in told


def test_a_refused_join_of_a_member_is_named(doctor, peer):
    policy = "article_members_listen on realtime.messages"
    with psycopg.connect(peer.project.database_url, autocommit=True) as db:
        (was,) = db.execute(
            "select qual from pg_policies where policyname = 'article_members_listen'"
        ).fetchone()
        db.execute(f"alter policy {policy} using (false)")
        try:
            told = doctor()
        finally:
            db.execute(f"alter policy {policy} using ({was})")
    assert "✓  membership" in told
    assert "✗  Realtime: Realtime refuses the join" in told and "briefworks migrate" in told


@pytest.mark.parametrize(("clock_s", "words"), [(-95, "ahead of"), (95, "behind")])
def test_a_clock_that_is_wrong_is_named(doctor, peer, monkeypatch, clock_s, words):
    monkeypatch.setattr(peer, "clock_s", clock_s)
    told = doctor("--project", "p")
    assert "✗  clock" in told and "NTP" in told
    (seconds,) = re.findall(rf"(\d+) s {words}", told)
    assert abs(int(seconds) - 95) <= 5
    monkeypatch.setattr(peer, "clock_s", clock_s / 5)
    assert "✓  clock" in doctor("--project", "p")


def test_a_token_that_is_not_good_and_a_user_nobody_can_sign_for_are_named(doctor, peer):
    old = peer.project.mint(peer.project.users[ADA].id, exp=1)
    assert "✗  membership: The token has expired" in doctor(said=old)
    told = doctor("--user", peer.project.users[ADA].id)
    assert "SUPABASE_JWT_SECRET" in told and "Traceback" not in told
    assert "There are no users here" in doctor("--user-token", "-", BRIEFWORKS_STORE="", said="")
