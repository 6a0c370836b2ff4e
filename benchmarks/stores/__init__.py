"""Stores of many synthetic runs, and the time and memory of the commands that read them."""
