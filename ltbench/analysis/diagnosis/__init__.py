"""Diagnosis of features: whether train and test features of a class have one distribution."""

from __future__ import annotations
