"""What a run needs first: compiled C, and Colyseus in a scratch folder."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.bench.process import BenchError

HERE = Path(__file__).parent
CHECKOUT = HERE.parent.parent
SCRATCH = CHECKOUT / "build" / "bench"

COLYSEUS = ("@colyseus/core", "@colyseus/ws-transport", "@colyseus/schema")
COLYSEUS_SERVER = HERE / "peers" / "colyseus.mjs"


def compile_c(name: str, sources: Sequence[Path]) -> Path:
    """Compile C files into a program in the scratch folder, unless it is newer than they are."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise BenchError(f"{name} is a C program and there is no compiler: install one (apt install gcc libc6-dev)")
    program = SCRATCH / name
    newest = max(path.stat().st_mtime for path in [*sources, *HERE.rglob("*.h")])
    if program.exists() and program.stat().st_mtime > newest:
        return program
    SCRATCH.mkdir(parents=True, exist_ok=True)
    flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE"]
    _run([compiler, *flags, "-o", str(program), *map(str, sources)], f"compiling {name}")
    return program


def load_generator() -> Path:
    """The compiled load generator."""
    return compile_c("load", sorted((HERE / "load").glob("*.c")))


def colyseus_folder(node: str) -> Path:
    """A folder with the current Colyseus and the server that uses it; installed from npm once."""
    if shutil.which(node) is None or shutil.which("npm") is None:
        raise BenchError(f"Colyseus needs {node} and npm on the PATH: install them, or leave it out of PEERS")
    folder = SCRATCH / "colyseus"
    if not all((folder / "node_modules" / name / "package.json").exists() for name in COLYSEUS):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true, "type": "module"}\n')
        latest = [f"{name}@latest" for name in COLYSEUS]
        _run(["npm", "install", "--no-audit", "--no-fund", *latest], "installing Colyseus", folder)
    shutil.copy(COLYSEUS_SERVER, folder / COLYSEUS_SERVER.name)
    return folder


def colyseus_versions(folder: Path) -> str:
    """Which Colyseus is installed, for the report."""
    packages = [json.loads((folder / "node_modules" / name / "package.json").read_text()) for name in COLYSEUS]
    return ", ".join(f"{package['name']} {package['version']}" for package in packages)


def _run(command: Sequence[str], what: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{what} failed with status {done.returncode}:\n{done.stdout}{done.stderr}")
