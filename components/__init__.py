"""The layers, one package each, and `host`, the only way anything reaches a machine."""
