"""Drives a deployed plane as its users and as AWS would, and says step by step what it saw."""
