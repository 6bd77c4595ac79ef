"""Node.js and what comes with it, for tests of JavaScript; a skip says what to install."""

import shutil
import subprocess

import pytest

TSC = ["--checkJs", "--allowJs", "--noEmit", "--strict"]
TSC += ["--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom"]


def tool(name):
    """The path of `node`, `npm` or `npx`."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(
            f"{name} is not on the PATH; install Node.js 18 or newer (it brings npm) to run this test"
        )
    return found


def run(*command, folder, timeout_s=110):
    """The output of a command that must succeed."""
    ran = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=timeout_s)
    assert ran.returncode == 0, f"{' '.join(map(str, command))}\n{ran.stdout}{ran.stderr}"
    return ran.stdout
