"""Example page with every kind of content, and with text that attempts an injection."""

from __future__ import annotations

from ltbench.report.page.content import Column, Listing, Page, Picture, Section, Table

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


def drawing(name: str) -> str:
    """A figure with ids and references, as `to_svg` writes them."""
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 396 200" role="img">
 <defs><clipPath id="{name}-clip"><rect width="396" height="200"/></clipPath>
 <path id="{name}-tick" d="M 0 0 L 0 9" style="stroke: #000000"/></defs>
 <g clip-path="url(#{name}-clip)"><use href="#{name}-tick" x="9" y="9"/></g>
</svg>"""


def example() -> Page:
    """A page of two sections, one of which has a part."""
    return Page(
        title="Methods & losses",
        lead="Which is better?",
        facts=[("runs", "35"), ("classes", ATTACK)],
        sections=[
            Section(
                "leaderboard",
                "Leaderboard",
                paragraphs=["In words.", ATTACK],
                findings=["lift is better than full.", ATTACK],
                blocks=[METHODS, WIDE],
            ),
            Section(
                "frequency",
                "From head to tail",
                blocks=[Picture("curve", "A curve.", drawing("curve"), "It falls.")],
                sections=[
                    Section(
                        "per-class",
                        "Class by class",
                        blocks=[
                            Picture("bars", ATTACK, drawing("bars"), ATTACK),
                            CLASSES,
                            Listing("Commands", f"ltbench run --out '{ATTACK}'\n" + 99 * "long "),
                        ],
                    )
                ],
            ),
        ],
        made_with="ltbench 0.0",
    )
