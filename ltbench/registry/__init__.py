"""Registry of plugin components: found, loaded and isolated."""

from __future__ import annotations
