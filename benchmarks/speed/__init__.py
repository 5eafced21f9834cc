"""How long the suite takes against a plain script of the same fits: ``make speed``."""
