"""Words of the glossary on a page."""

from __future__ import annotations

from ltbench.manual.glossary import explain
from ltbench.report.page.terms import Terms


def test_a_word_is_explained_where_a_section_uses_it_first() -> None:
    terms = Terms()
    button = '<button type="button" class="term" popovertarget="term-max-t">max-T</button>'
    assert terms.mark_words("By max-T, max-T.") == f"By {button}, max-T."
    assert terms.mark_words("max-T again") == "max-T again"
    terms.begin_section()
    assert button in terms.mark_words("max-T again")
    assert terms.explained() == [("term-max-t", "max-T", explain("max-T"))]


def test_the_words_of_the_issue_are_explained() -> None:
    for text in ("with tte", "the shot rule exclusive", "TOST", "few-shot classes", "an ECE of"):
        assert 'class="term"' in Terms().mark_words(text), text
    for name in ("head", "inference", "shot rule", "tte", "mda", "loss"):
        assert 'class="term"' in Terms().mark_name(name), name


def test_ordinary_words_names_and_parts_of_words_are_not_marked() -> None:
    for text in (
        "from head to tail",
        "the method has many rows",
        "lora (loss=tte)",
        "a TOSTer",
        "tte.views",
        "my_tte_run",
    ):
        assert "<" not in Terms().mark_words(text), text


def test_text_stays_text() -> None:
    assert Terms().mark_words("<b>max-T</b>").startswith("&lt;b&gt;<button")
    assert Terms().mark_name("<b>") == "&lt;b&gt;"
