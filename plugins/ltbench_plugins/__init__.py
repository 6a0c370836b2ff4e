"""Built-in components of ltbench, registered like those of any other plugin.

One folder for each kind, one file for each component. None of them loads torch; `modules/` has the
torch code that they build.
"""

from __future__ import annotations
