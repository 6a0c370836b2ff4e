"""Example page with every kind of content, and with text that attempts an injection."""

from __future__ import annotations

import base64

from ltbench.report.page.content import (
    Answer,
    Beside,
    Column,
    ImageSheet,
    Listing,
    Notes,
    Page,
    Picture,
    Properties,
    Section,
    SheetImage,
    ShortName,
    Table,
    WithInterval,
)

ATTACK = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>"""

METHODS = Table(
    "methods",
    "Methods, a row each.",
    [
        Column("method"),
        Column("loss", filtered=True),
        Column("seeds", decimals=0),
        Column("accuracy", help="Share of the test images.", decimals=1),
        Column("learned parameters", decimals=0),
        Column("gain", decimals=1),
    ],
    [
        ["lift", "la", 5, 81.04, 1234567, 9.5],
        ["full", "ce", 5, 79.5, 9, -10.2],
        ["linear", "ce", 1, None, 650, None],
        ["lift_plus", "la", 5, 9.25, 1000, -2.0],
        ["zero_shot", "", 5, 81.04, 0, 10.0],
    ],
)
CLASSES = Table(
    "classes",
    "Every class.",
    [Column("class"), Column("group", filtered=True), Column("accuracy", decimals=1)],
    [[f"class {k}", "few" if k % 3 else "many", k / 10] for k in range(300)],
    folded=True,
)
WIDE = Table(
    "wide",
    "More columns than a phone has room for.",
    [Column("name"), *(Column(f"column number {k}", decimals=2) for k in range(20))],
    [[ATTACK, *(k / 7 for k in range(20))]],
)


RANKED = Table(
    "ranked",
    "Ranked by max-T, many words.",
    [
        Column("rank", decimals=0),
        Column("method"),
        Column("overall", help="Share of all test images.", decimals=1),
        Column("many", decimals=1, shown="wide"),
        Column("medium", decimals=1, shown="wide"),
        Column("few", decimals=1),
        *(Column(f"other {k}", help="Another.", decimals=1, shown="more") for k in range(9)),
    ],
    [
        [
            rank,
            ShortName(f"lift_plus (epochs={rank}) \N{SUPERSCRIPT ONE}", f"lift_plus (rank={rank})"),
            WithInterval(90.0 - rank, 80.0 - rank, 95.0 - rank),
            *(50.0 + rank for _ in range(12)),
        ]
        for rank in range(1, 8)
    ],
    name_column=1,
    leading=3,
    key=[("\N{SUPERSCRIPT ONE}", ATTACK)],
)
LONG = Table(
    "long",
    "More classes than a browser lays out at once.",
    [Column("class"), Column("accuracy", decimals=1)],
    [[f"{ATTACK} {k}", k / 10] for k in range(1200)],
    folded=True,
)
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


def drawing(name: str) -> str:
    """A figure with ids, references and values of marks, as `to_svg` writes them."""
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 396 200" role="img"
 aria-label="{name}">
 <defs><clipPath id="{name}-clip"><rect width="396" height="200"/></clipPath>
 <path id="{name}-tick" d="M 0 0 L 0 9" style="stroke: #000000"/></defs>
 <g clip-path="url(#{name}-clip)"><use href="#{name}-tick" x="9" y="9"/></g>
 <g data-tip="lift: 81.0"><title>lift: 81.0</title><circle cx="90" cy="60" r="4"/></g>
 <g data-tip="full: 79.5"><title>full: 79.5</title><circle cx="290" cy="60" r="4"/></g>
</svg>"""


def example() -> Page:
    """A page of two sections, one of which has a part."""
    return Page(
        title="Methods & losses",
        answer=Answer("lift is the best.", "By few-shot accuracy, p below 0.001 (max-T)."),
        facts=[("runs", "35"), ("classes", ATTACK)],
        sections=[
            Section(
                "first",
                "First",
                blocks=[Beside(RANKED, Picture("beside", "Groups.", drawing("beside"), "Six."))],
            ),
            Section(
                "leaderboard",
                "Leaderboard",
                answer=Answer(ATTACK, ATTACK),
                facts=[("shot rule", "exclusive"), ("inference", ATTACK)],
                paragraphs=["In words.", ATTACK],
                findings=["lift is better than full.", ATTACK],
                blocks=[METHODS, WIDE, Notes("Notes", ["max-T again.", ATTACK]), Notes("No", [])],
            ),
            Section(
                "frequency",
                "From head to tail",
                folded=True,
                blocks=[Picture("curve", "A curve.", drawing("curve"), "It falls.")],
                sections=[
                    Section(
                        "per-class",
                        "Class by class",
                        blocks=[
                            Picture("bars", ATTACK, drawing("bars"), ATTACK),
                            Picture("second", "Beside it.", drawing("second"), "Two."),
                            CLASSES,
                            LONG,
                            ImageSheet(
                                "mistakes",
                                "Mistakes.",
                                [SheetImage(PIXEL, "image/png", ATTACK, f"A {ATTACK}")] * 3,
                            ),
                            Properties("Environment", [("packages", "a 1, " * 60), ("b", ATTACK)]),
                            Listing("Folded", "one\ntwo", folded=True),
                            Listing("Commands", f"ltbench run --out '{ATTACK}'\n" + 99 * "long "),
                        ],
                    )
                ],
            ),
        ],
        made_with="ltbench 0.0",
    )
