"""Executors of clusters, on small real clusters on this machine."""
