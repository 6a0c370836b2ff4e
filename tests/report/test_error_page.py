from __future__ import annotations

from pathlib import Path

import ltbench
from ltbench.registry.registry import Registry
from ltbench.report.error_page import error_page, write_error_page
from tests.runs_on_images import failing_run


def test_the_page_begins_with_the_answer(tmp_path: Path, registry: Registry) -> None:
    run = ltbench.load_run(failing_run(tmp_path, registry)[1])
    errors = run.errors(pictures=2)
    page = error_page(errors)
    assert page.answer.headline == errors.sentences[0]
    assert page.sections[0].answer is None
    write_error_page(errors, tmp_path / "below" / "page.html")
    text = (tmp_path / "below" / "page.html").read_text(encoding="utf-8")
    assert text.count('src="data:image/jpeg') == 2
    assert "http" not in text.split("</style>")[1].split("<script")[0].replace("http-equiv", "")
