"""Everybody's lines in one place: Loki keeps them, Grafana Alloy brings them."""
