"""Durations and quantities as Kubernetes writes them."""

from __future__ import annotations

import re
from typing import Final

_SECONDS: Final = {
    **{"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 0.001},
    **{"s": 1.0, "m": 60.0, "h": 3600.0},
}
_PART: Final = r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)"
_BINARY: Final = {unit: 1024 ** (power + 1) for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti"))}
_SIZES: Final = {
    **{"": 1.0, "m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18},
    **{unit: float(size) for unit, size in _BINARY.items()},
    **{"Pi": 1024.0**5, "Ei": 1024.0**6},
}


def duration(text: str) -> float | None:
    """The seconds of a duration (Go's time.ParseDuration), such as 1h30m; None of what is none."""
    if re.fullmatch(rf"({_PART}){{1,9}}|0", text) is None:
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in re.findall(_PART, text))


def quantity(text: str) -> float | None:
    """The number of a quantity (kubernetes.io, "Quantity"), such as 512Mi; None of what is none."""
    found = re.fullmatch(r"([0-9]{1,30}(?:\.[0-9]{0,30})?)([A-Za-z]{0,2}|[eE][0-9]{1,2})", text)
    if found is None:
        return None
    if re.fullmatch("[eE][0-9]+", found[2]):
        return float(f"{found[1]}{found[2]}")
    size = _SIZES.get(found[2])
    return None if size is None else float(found[1]) * size
