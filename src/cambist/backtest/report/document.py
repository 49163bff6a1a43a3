"""What all reports share: one HTML file that needs nothing else, its parts, its policy, and how data travel in it."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from cambist.domain.text import all_texts, language, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2 import Environment

HOME = "cambist.backtest.report"
"""The package whose template ``shell.html.j2`` all reports fill."""

# Before the first paint: a page must not flash in the other theme.
_EARLY = 'try{const t=localStorage.getItem("cambist-theme");if(t)document.documentElement.dataset.theme=t}catch{}'


def render(
    template: str,
    *,
    home: str,
    templates: Sequence[str],
    scripts: str,
    styles: str,
    data: Mapping[str, Any],
    blobs: Mapping[str, str],
    **given: Any,
) -> str:
    """Return ``template``, one of the ``templates`` in the package ``home``, as a document in the language in use.

    ``scripts`` and ``styles`` are the text of its one script and its one style sheet, ``data`` and ``blobs`` what the
    script reads, ``given`` what the template does.
    """
    return (
        _environment(home, tuple(templates))
        .get_template(template)
        .render(
            say=say,
            language=language(),
            csp=_policy(scripts=(_EARLY, scripts), style=styles),
            early=_EARLY,
            script=scripts,
            style=styles,
            license=read("vendor/LICENSE").strip(),
            data=_json(data),
            blobs=blobs,
            version=_version(),
            **given,
        )
    )


def texts(prefix: str, starts: tuple[str, ...]) -> dict[str, str]:
    """Return what scripts say: the texts under ``prefix`` that begin so, without it, their placeholders still open."""
    wanted = tuple(prefix + start for start in starts)
    place = 1 if language() == "fr" else 0
    return {key.removeprefix(prefix): text[place] for key, text in all_texts().items() if key.startswith(wanted)}


@cache
def joined(names: tuple[str, ...], between: str, home: str = HOME) -> str:
    """Return the files ``names`` of the package ``home`` as one text."""
    return between.join(read(name, home).strip() for name in names)


@cache
def read(name: str, home: str = HOME) -> str:
    """Return the text of a file that lies beside the code of the package ``home``."""
    return files(home).joinpath(name).read_text(encoding="utf-8")


def _policy(*, scripts: Sequence[str], style: str) -> str:
    """Return the content security policy: our own scripts and style by their hash, and nothing else from anywhere."""
    script_hashes = " ".join(_hash(text) for text in scripts)
    return (
        f"default-src 'none'; script-src {script_hashes}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(data: Mapping[str, Any]) -> str:
    """Return JSON that cannot end the script element that holds it, whatever users called their strategies."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def _environment(home: str, templates: tuple[str, ...]) -> Environment:
    from jinja2 import DictLoader, Environment, StrictUndefined  # only those who write reports wait for it

    sources = {name: read(name) for name in ("shell.html.j2", "stamps.html.j2")}
    sources |= {name: read(name, home) for name in templates}
    return Environment(
        loader=DictLoader(sources), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _version() -> str:
    try:
        return version("cambist")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return ""
