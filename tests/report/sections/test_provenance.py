from __future__ import annotations

from pathlib import Path

from ltbench.registry.registry import Registry
from ltbench.report.page.content import Properties, Table
from ltbench.report.sections.provenance import provenance_section
from ltbench.storage.results import find_runs
from ltbench.storage.tags import write_tags
from tests.runs import spec_of, store


def test_tags_are_listed(tmp_path: Path, registry: Registry) -> None:
    write_tags(store(tmp_path, spec_of(registry)), {"paper": "table 3", "by": "<b>"})
    (store(tmp_path, spec_of(registry, seed=1)) / "tags.json").write_text("{")
    store(tmp_path, spec_of(registry, seed=2))
    blocks = provenance_section(find_runs([tmp_path]).runs, []).blocks
    (tags,) = [block for block in blocks if isinstance(block, Table)]
    texts = sorted(str(row[1]) for row in tags.rows)
    assert texts[1] == "by=<b>, paper=table 3"
    assert "tags.json is not JSON" in texts[0]


def test_what_all_environments_share_is_listed_once(tmp_path: Path, registry: Registry) -> None:
    for seed, device in enumerate(("cpu", "cuda", "cuda")):
        spec = spec_of(registry, seed=seed)
        store(tmp_path, spec, changed={"environment": {"device": device, "plugins": ["a 1"]}})
    blocks = provenance_section(find_runs([tmp_path]).runs, []).blocks
    shared, *special = [block for block in blocks if isinstance(block, Properties)]
    assert shared.title == "Environment of 3 runs"
    assert ("plugins", "a 1") in shared.items
    assert "device" not in dict(shared.items)
    assert [(block.title, block.items) for block in special] == [
        ("In 1 run", [("device", "cpu")]),
        ("In 2 runs", [("device", "cuda")]),
    ]
