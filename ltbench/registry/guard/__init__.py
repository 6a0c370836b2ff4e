"""Guard of the process while a plugin is loaded: its changes are found and undone."""
