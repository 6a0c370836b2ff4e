"""Attacks on the commands: hostile input, signals, a hostile file system."""
