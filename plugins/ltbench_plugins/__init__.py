"""The components that come with ltbench: plugins like anybody's.

One folder a kind, one file a component, none of which loads torch; `modules/` has the torch code
that they build.
"""

from __future__ import annotations
