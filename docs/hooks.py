"""MkDocs hooks: pages and reports from the repository, links that leave the site, markup."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
FROM_ROOT = {"changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md"}
"""Pages that are files at the root of the repository."""

RESULTS = ROOT / "benchmarks" / "results"
WIDE = ("index.md", "gallery.md")
"""Pages without columns beside them."""

_LINK = re.compile(r"\[([^\]]+)\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")
_LIGHT = re.compile(r'(<img\b[^>]*\bsrc="[^"]*_)light(\.webp)("[^>]*>)')
_OPTION = re.compile(r"<code>(?=--?\w[^<>]{0,21}</code>)")
_CELL = re.compile(r"<td\b.*?</td>", re.DOTALL)


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Adds the pages that are files at the root, and the reports of stored runs."""
    from mkdocs.structure.files import File

    for report in sorted(RESULTS.rglob("report/index.html")):
        for path in sorted(report.parent.rglob("*.*")):
            source = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, _in_gallery(source), abs_src_path=str(path)))
    for page, name in FROM_ROOT.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=with_links(text, name)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Replaces links to files outside of the site by paths in the repository."""
    if page.file.src_uri in WIDE:
        page.meta["hide"] = ["navigation", "toc"]
    if page.file.src_uri in FROM_ROOT:
        return markdown  # done
    return with_links(markdown, f"docs/{page.file.src_uri}")


def on_page_content(html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    r"""Adds the dark twins of pictures, and removes the backslash of `\|` in tables.

    Python-Markdown keeps that backslash within code. The theme shows one picture of the two. Short
    options get a class: a browser would break them at their dashes.
    """
    html = _OPTION.sub('<code class="option">', html)
    html = _LIGHT.sub(r"\1light\2#only-light\3 \1dark\2#only-dark\3", html)
    return _CELL.sub(lambda found: found[0].replace(r"\|", "|"), html)


def on_post_page(output: str, *, page: Page, config: MkDocsConfig) -> str:
    """Returns a page whose search has a name for screen readers."""
    return _with_named_search(output)


def on_post_template(output_content: str, *, template_name: str, config: MkDocsConfig) -> str:
    """Returns the page of a wrong address, whose search has a name for screen readers."""
    return _with_named_search(output_content)


def with_links(text: str, path: str) -> str:
    """Returns a page for the site: links that leave the site become paths.

    Args:
        text: The page.
        path: Path of its file, from the root of the repository.
    """
    folder = posixpath.dirname(path)

    def replaced(found: re.Match[str]) -> str:
        shown, link, anchor = found[1], found[2], found[3] or ""
        target = posixpath.normpath(posixpath.join(folder, link))
        if target.endswith("/report/index.html") and (ROOT / target).exists():
            return f"[{shown}]({_in_gallery(target)})"
        inside = target.removeprefix("docs/")
        if inside != target and Path(target).suffix in (".md", ".svg", ".webp", ".png"):
            return f"[{shown}]({link if folder else inside}{anchor})"
        if target.endswith(shown.strip("`")):
            return f"`{target}`"
        return f"{shown} (`{target}`)"

    return _LINK.sub(replaced, text)


def _in_gallery(source: str) -> str:
    """Returns the path in the site of a file of a report in the repository."""
    parts = PurePosixPath(source).relative_to("benchmarks/results").parts
    return posixpath.join("gallery", *(part for part in parts if part != "report"))


def _with_named_search(output: str) -> str:
    """Returns a page with a name for the dialog of the search: the theme gives it none."""
    return output.replace('role="dialog">', 'role="dialog" aria-label="Search">')
