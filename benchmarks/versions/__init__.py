"""Two versions of ltbench, measured side by side."""
