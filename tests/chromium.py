"""The browser of the system that tests of pages drive."""

from __future__ import annotations

import pytest

from docs.made.screens import find_browser

CHROMIUM = find_browser()
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
