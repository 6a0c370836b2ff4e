from __future__ import annotations

import json

from ltbench.report.page.content import Answer, CellValue, Column, Link, Page, Table
from ltbench.report.page.render import render_page
from ltbench.report.page.table_html import MAX_WRITTEN_ROWS, body_html, link_html, rest_json


def test_links_are_escaped_and_those_outside_send_no_referrer() -> None:
    assert link_html(Link("a<b", 'x.html"><b>')) == '<a href="x.html&#34;&gt;&lt;b&gt;">a&lt;b</a>'
    outside = link_html(Link("paper", "https://example.org", whole="the whole title"))
    assert 'rel="external nofollow noopener noreferrer"' in outside
    assert 'title="the whole title"' in outside


def test_long_tables_keep_their_links() -> None:
    rows: list[list[CellValue]] = [
        [Link(f"row {k}", f"{k}.html"), k] for k in range(MAX_WRITTEN_ROWS + 1)
    ]
    table = Table("rows", "Rows.", [Column("name"), Column("number", decimals=0)], rows)
    assert '<a href="0.html">row 0</a></th>' in body_html(table)
    last = json.loads(rest_json(table))[-1]
    assert last == [{"text": "row 1000", "address": "1000.html"}, "1,000"]


def test_pages_of_a_site_link_to_each_other() -> None:
    page = Page("Title", Answer("One."), [], [], "test", links=[Link("All", "../index.html")])
    first = render_page(page)
    assert '<li class="page"><a href="../index.html">All</a></li>' in first
    assert render_page(page) == first  # the second time from the compiled template
