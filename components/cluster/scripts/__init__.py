"""What runs on a control plane by its own Python, sent as a text."""
