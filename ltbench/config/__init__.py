"""From what a user asks for to a run in which every choice is made: `RunSpec`.

Re-exports nothing: the light verbs import `text` alone, and not what checks options.
"""

from __future__ import annotations
