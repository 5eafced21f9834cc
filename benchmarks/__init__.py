"""The lecture's own suite."""

SUITE = "lecture"
