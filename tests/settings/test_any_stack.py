"""Any accepted stack with one value replaced by whatever: answered in words, by key, in no time."""

from __future__ import annotations

import copy
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, get_origin

import yaml
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import BaseModel

from settings.files import examine
from settings.problems import Problem, SettingsError, dotted
from settings.reader import Config, read_bytes, read_config
from settings.shape import alternatives, annotation_at
from tests.settings.fixtures import base_config, patched, patches, read_patch

EXAMPLES = 600

STACKS = [base_config(), *(patched(read_patch(path)) for path in patches("accept"))]

NASTY = [
    *("", " ", "\t", "\n", "\x00", "\x07", "\x1b[31m", "\x7f", "\u0085", "\u2028", "\ud800"),
    *("\u200b", "\u202e", "\ufeff", "\u00ad", "\u00a0x", "x\u3000", "\u0430", "\uff11", "e\u0301"),
    *("a" * 5000, "9" * 5000, "[" * 500, "{{ x }}", "${x}", "$(reboot)", "`id`", "'\"", "\\"),
    *(
        "%00",
        "%s%n",
        "../../etc/passwd",
        "/etc//x",
        "/",
        "//",
        "-",
        "--",
        ".",
        "..",
        "*",
        "*.",
        "~",
    ),
    *("null", "true", "no", "0", "-1", "1e999", ".inf", ".nan", "0x10", "010", "1_000", "12:30"),
    *("::1", "fe80::1%eth0", "[::1]:80", "255.255.255.255", "1.2.3.4/33", "1.2.3.4/-1"),
    *("1.2.3", "1.2.3.4.5", "10.0.0.0/8", "0/0", "http://", "https://[", "http://[::1", "oci://"),
    *(
        "https://a:b@c/",
        "http://x:99999/",
        "http://x:/",
        "ftp://x/",
        "https://x?y#z",
        "file:///etc",
    ),
    *("ssh-ed25519", "ssh-ed25519 AAAA", "ssh-rsa AAAAB3NzaC1yc2EAAAA=", 'from="x ssh-rsa AAAA'),
    *("-----BEGIN", "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----BEGIN PRIVATE KEY-----", "=AAAA"),
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n=A\n-----END PGP PUBLIC KEY BLOCK-----",
    *("version = 3\n[", "version = " + "9" * 5000, "a = " + "[" * 3000, "x.example.org.", "*.*.x"),
    *("xn--", "m\u00fcnchen.example.org", "\u0438\u043c\u044f.\u0440\u0444", "-a.b", "a..b", "A.B"),
    *(
        "root@pam!x=0a1b2c3d-aaaa",
        "layered-cloud:x",
        "v1:a:b",
        "kubeadm",
        "1.36.3-1.1",
        "v1",
        "1:2-3",
    ),
]

junk: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, -(2**63) - 1, 10**400, 0, -1])
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(NASTY),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(NASTY), inner, max_size=3)
        | st.dictionaries(st.integers() | st.booleans() | st.none(), inner, max_size=2)
        | st.fixed_dictionaries({"secure": inner})
    ),
    max_leaves=6,
)


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a value stands, of a mapping, of a list and of a leaf; and where one could be added."""
    if here:
        yield here
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*here, key))
        if here:
            yield (*here, "added")
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from places(value[index], (*here, index))


PLACES = [(index, place) for index, stack in enumerate(STACKS) for place in places(stack)]


def replaced(index: int, place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    stack = copy.deepcopy(dict(STACKS[index]))
    holder: Any = stack
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    return stack


@contextmanager
def in_no_time() -> Iterator[None]:
    """Within a second of the processor's: what else the machine does is nobody's fault here, and no
    more is a collector that walks what thousands of examples left behind."""
    gc.disable()
    started = time.process_time()
    try:
        yield
        took = time.process_time() - started
    finally:
        gc.enable()
    assert took < 1


def answered(stack: dict[str, Any]) -> list[Problem]:
    with in_no_time():
        found = examine(stack)
    for each in [*found.problems, *found.warnings]:
        line = str(each)
        assert each.key and each.wrong and each.right
        assert line.isprintable() and len(line) < 2000, line
        assert "pydantic" not in line and "Input should" not in line and "the rule it" not in line
        line.encode("utf-8")
    return found.problems


@given(st.sampled_from(PLACES), junk)
@hypothesis_settings(max_examples=EXAMPLES, deadline=None, database=None)
def test_any_value_in_any_place_is_answered_by_key(
    at: tuple[int, tuple[Any, ...]], value: Any
) -> None:
    index, place = at
    told = answered(replaced(index, place, value))
    assert all(each.key.startswith("layered-cloud:") for each in told)
    location = (place[0].partition(":")[2], *place[1:])
    if annotation_at(location) in (Any, None) or type(value) in kinds(annotation_at(location)):
        return
    here = dotted(location)
    near = [each for each in told if each.key.startswith(here) or here.startswith(each.key)]
    assert near, (here, value, told)


def kinds(annotation: Any) -> tuple[type, ...]:
    """The YAML types that may be right at a place: the test knows no more than that."""
    found: set[type] = set()
    for each in alternatives(annotation):
        if each is type(None):
            found.add(type(None))
        elif get_origin(each) is list:
            found.add(list)
        elif get_origin(each) is dict or (isinstance(each, type) and issubclass(each, BaseModel)):
            found.add(dict)
        elif each in (int, float):
            found |= {int, float}
        elif each is bool:
            found.add(bool)
        else:
            found.add(str)
    return tuple(found)


@given(st.sampled_from(PLACES), st.sampled_from(NASTY))
@hypothesis_settings(max_examples=EXAMPLES, deadline=None, database=None)
def test_any_nasty_text_in_any_place_is_answered_by_key(
    at: tuple[int, tuple[Any, ...]], text: str
) -> None:
    index, place = at
    for each in answered(replaced(index, place, text)):
        assert each.key.startswith("layered-cloud:")


@given(st.sampled_from(PLACES), st.sampled_from(NASTY))
@hypothesis_settings(max_examples=300, deadline=None, database=None)
def test_any_nasty_key_in_any_place_is_answered(at: tuple[int, tuple[Any, ...]], key: str) -> None:
    index, place = at
    answered(replaced(index, (*place[:-1], key) if isinstance(place[-1], str) else place, key))


@given(st.sampled_from(NASTY), st.integers(0, 200))
@hypothesis_settings(max_examples=300, deadline=None, database=None)
def test_any_text_pasted_into_a_file_is_answered_in_lines(text: str, at: int) -> None:
    lines = yaml.safe_dump({"config": dict(STACKS[0])}, sort_keys=False).split("\n")
    lines.insert(at % len(lines), text)
    read_and_answered(lambda: read_config("\n".join(lines), "f"))


@given(st.binary(max_size=200))
@hypothesis_settings(max_examples=500, deadline=None, database=None)
def test_any_bytes_are_answered_in_lines(data: bytes) -> None:
    read_and_answered(lambda: read_bytes(b"config:\n  " + data, "f"))


def read_and_answered(read: Callable[[], Config]) -> None:
    """A file called f is refused as it is read, or what it says is looked through: both in lines,
    and in no time together."""
    with in_no_time():
        try:
            config = read()
        except SettingsError as error:
            assert all(each.startswith("f: ") and each.isprintable() for each in error.lines())
        else:
            answered(config)
