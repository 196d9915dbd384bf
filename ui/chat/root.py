"""The folder Chainlit runs in: its settings, its page and its public files, laid out below the desk's home.

Chainlit writes into its application root and reads everything from there, so each run lays it out anew from what ships
with the desk; the checkout stays clean and the working directory does not matter.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import Final

SHIPPED: Final = Path(__file__).parent
_EXTERNAL: Final = re.compile(r"<link\b[^>]*?https?://[^>]*?>\s*|<!-- FONT START -->.*?<!-- FONT END -->\s*", re.DOTALL)


def prepare(home: Path, *, base_url: str, packaged: Path) -> Path:
    """Lay out the application root and return it.

    Args:
        home: the desk's home folder.
        base_url: where the desk is reached; the only origin that may call the chat.
        packaged: the folder of the installed chainlit package.
    """
    root = home / "chat"
    settings = root / ".chainlit"
    for folder in (root / ".files", root / "public", root / "page", settings / "translations"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    shutil.copytree(SHIPPED / "public", root / "public", dirs_exist_ok=True)
    shutil.copy(SHIPPED / "help.md", root / "chainlit_en-US.md")
    config = (SHIPPED / "config.toml").read_text(encoding="utf-8")
    origins = json.dumps(sorted({base_url, base_url.replace("127.0.0.1", "localhost")}))
    (settings / "config.toml").write_text(config.replace('["ORIGINS"]', origins), encoding="utf-8")
    _write_words(packaged, settings / "translations" / "en-US.json")
    _write_page(packaged / "frontend" / "dist", root / "page")
    return root


def secret(home: Path) -> str:
    """The secret that signs cookies: made once, readable by the owner only, the same after every restart."""
    file = home / "chat-secret"
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text(encoding="ascii")
    with os.fdopen(handle, "w", encoding="ascii") as output:
        output.write(made := secrets.token_urlsafe(48))
    return made


def _write_words(packaged: Path, target: Path) -> None:
    words = json.loads((packaged / "translations" / "en-US.json").read_text(encoding="utf-8"))
    ours = json.loads((SHIPPED / "words.json").read_text(encoding="utf-8"))
    target.write_text(json.dumps(_merged(words, ours)), encoding="utf-8")


def _write_page(built: Path, target: Path) -> None:
    """Chainlit's own page without what it would fetch from the internet; its scripts stay where they are."""
    page = (built / "index.html").read_text(encoding="utf-8")
    (target / "index.html").write_text(_EXTERNAL.sub("", page), encoding="utf-8")
    for item in built.iterdir():
        if item.name != "index.html":
            (target / item.name).symlink_to(item)


def _merged(base: object, over: object) -> object:
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{name: _merged(base.get(name), value) for name, value in over.items()}}
    return over
