"""Supabase's Data API on this machine: `@supabase/lite` from npm in front of a real PostgreSQL."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import httpx

from briefworks.settings import child_environment
from waiting import free_port, wait_for

FOLDER = Path(__file__).parent / "lite"  # package.json; `npm ci` there installs it
PUBLISHABLE_KEY = "sb_publishable_" + "t" * 32
JWT_SECRET = "a secret of the tests, longer than thirty-two characters"
CONFIG = """
[api]
port = {port}
schemas = ["public"]
[db]
driver = "postgres"
url = "{url}"
[auth]
jwt_secret = "{jwt_secret}"
publishable_key = "{publishable_key}"
secret_key = "{secret_key}"
"""


def missing() -> str:
    """Why it cannot be started here; "" when it can."""
    if shutil.which("node") is None:
        return "node is missing"
    if not (FOLDER / "node_modules" / "@supabase" / "lite").is_dir():
        return f"@supabase/lite is missing: npm ci --prefix {FOLDER}"
    return ""


class SupabaseLite:
    """The server at `url`, in front of the database at `database_url`."""

    def __init__(self, folder: Path, database_url: str, secret_key: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "supabase").mkdir(parents=True)
        config = folder / "supabase" / "config.toml"
        config.write_text(
            CONFIG.format(
                port=self.port,
                url=database_url,
                jwt_secret=JWT_SECRET,
                publishable_key=PUBLISHABLE_KEY,
                secret_key=secret_key,
            )
        )
        self._log = (folder / "log").open("wb")
        program = FOLDER / "node_modules" / ".bin" / "lite"
        self._process = subprocess.Popen(
            ["node", program, "--no-telemetry", "start", "--no-admin", "--config", config],
            cwd=folder, stdout=self._log, stderr=self._log, env=child_environment(DO_NOT_TRACK="1"),
        )  # fmt: skip
        wait_for(self._answers, what="@supabase/lite")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._log.close()

    def _answers(self) -> bool:
        assert self._process.poll() is None, Path(self._log.name).read_text()
        try:
            return httpx.get(self.url, timeout=2, trust_env=False).status_code < 500
        except httpx.HTTPError:
            return False
