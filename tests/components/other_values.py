"""Another value of any key of a stack, for tests that ask who would notice."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

from settings.examples import value_of
from settings.reference import every_key
from settings.shape import choices


def places(value: Any, key: str) -> Iterator[tuple[Any, str]]:
    """Each mapping of a configuration that holds the key, with the key's last name."""
    step, _, rest = key.partition(".")
    if not rest:
        yield value, step
        return
    below = value[step.removesuffix("[]")]
    for each in below if isinstance(below, list) else [] if below is None else [below]:
        yield from places(each, rest)


def others(value: Any, path: str) -> Iterator[Any]:
    """Other values of a key's own type, as in a file; some of them may be refused."""
    key = every_key()[path]
    if found := choices(key.annotation):
        yield from (each for each in found if each != value)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value * 2, value - 1)
    elif isinstance(value, str):
        yield from (
            f"{value}-x",
            f"x-{value}",
            f"{value}1",
            *_addresses(value),
            "router-a",
            "router-b",
        )
    elif isinstance(value, dict):
        yield {**value, **value_of(key)}
    elif isinstance(value, list):
        for index, each in enumerate(value):
            for other in _addresses(str(each)):
                yield [*value[:index], other, *value[index + 1 :]]
        yield [*value, *value_of(key)]
        yield value_of(key)
        yield value[:-1]
    else:
        yield value_of(key)


def _addresses(text: str) -> Iterator[str]:
    """Another address or network, where it is one."""
    try:
        if "/" in text:
            network = ip_network(text)
            yield str(next(network.subnets()))
        else:
            yield str(ip_address(text) + 1)
    except ValueError:
        return
