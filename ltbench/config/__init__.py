"""Configuration: from a user's settings to a run in which every choice is made, `RunSpec`.

Nothing is re-exported: the light verbs import `text` alone, without the checks of options.
"""

from __future__ import annotations
