"""Overhead of the executors of a grid."""
