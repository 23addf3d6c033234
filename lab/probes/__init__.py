"""Probes of every promise a running lab makes, and drills that break something."""
