"""The files of a bug report. Pure.

Secrets are taken out three times: by the machine, which knows its own; here, by what is known of
the stack; and by their look, wherever they stand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from ops import terminal
from ops.checks.model import Seen
from ops.inspect.questions import PUSHED, RELEASE
from ops.judge import Row
from ops.masking import PLAIN, unspoken, values, without
from ops.question import Answer
from ops.report.page import page
from ops.scripts.redact import MASK, known
from ops.shapes import masked
from settings.configuration import is_sealed

SECRET_KEY = re.compile(
    r"(?i)passw|passphrase|secret(?!name)|token|credential|private_?key|api_?key|auth|pwd"
    r"|(?<!by)pass$"
)
"""Keys whose value is taken out of settings, whatever it is."""
CHECKSUM = "sha256"
"""A key whose value is nobody's secret, and looks like one."""
_FILES = (PUSHED.name, RELEASE.name)
README = """\
{name}, {at} UTC: what `python -m ops inspect` found.

check.txt, check.json  every promise, and what is wrong
report.html            the same on one page
settings.yaml          the stack's file, secrets taken out
outputs.json           the stack's outputs, secrets taken out
machines/NAME/         what each machine answered, one file a question; pushed/ has the texts
                       that were pushed, with placeholders for secrets

Values that are known to be secret were taken out in every form, and so was whatever looks like a
key or a token: {mask} stands there, also for ids that are none. Names and addresses are left in.
Look it through before you hand it on.
"""


def bundle(seen: Seen, rows: Sequence[Row]) -> dict[str, str]:
    """Every file by its path. `rows` are those of the checks."""
    site = seen.site
    forms = known(values(site))
    clean = without(site, list(rows))
    # Its attributes and figures are not for the rules of looks.
    report = page(unspoken(seen), clean)
    found = {
        "README.txt": README.format(name=site.name, at=f"{seen.now:%Y-%m-%d %H:%M}", mask=MASK),
        "report.html": report,
        "check.txt": "".join(f"{line}\n" for line in terminal.check(clean, colour=False)),
        "check.json": json.dumps([row.result.as_dict() for row in clean], indent=1),
        "settings.yaml": yaml.safe_dump(
            {"config": _settings(dict(site.config), forms)}, sort_keys=False, width=100
        ),
        "outputs.json": json.dumps(_outputs(site.outputs, forms), indent=1),
    }
    for name, answers in seen.machines.items():
        place = f"machines/{name}"
        if answers.silent is not None:
            found[f"{place}/silent.txt"] = masked(answers.silent, forms)
        for question, answer in answers.answers.items():
            for path, text in _told(question, answer):
                found[f"{place}/{path}"] = masked(text, forms)
    return found


def _told(question: str, answer: Answer) -> Iterator[tuple[str, str]]:
    """The files of one answer: certificates are public, and left to the check."""
    short = re.sub(r"[^a-z0-9]+", "-", question)
    if answer.status:
        yield f"{short}.txt", f"status {answer.status}\n{answer.err}\n{answer.out}"
    elif question in _FILES:
        yield from _files(answer.out)
    elif not question.endswith(("certificates", "certificate")):
        yield f"{short}.txt", answer.out


def _files(text: str) -> Iterator[tuple[str, str]]:
    """What was read, a file each; of a request that was pushed the texts of its files."""
    try:
        read: Mapping[str, str] = json.loads(text)
    except ValueError:
        yield "unreadable.txt", text
        return
    for path, content in read.items():
        if path.endswith("/configuration.json"):
            yield from _pushed(path, content)
        else:
            yield f"files{path}", content


def _pushed(path: str, content: str) -> Iterator[tuple[str, str]]:
    layer = path.split("/")[-2]
    try:
        files: Mapping[str, Mapping[str, Any]] = json.loads(content)["files"]
        for name, each in files.items():
            yield f"pushed/{layer}{name}", str(each["content"])
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        yield f"pushed/{layer}/unreadable.txt", f"{type(problem).__name__}: {problem}"


def _settings(value: Any, forms: Sequence[str], name: str = "") -> Any:
    if is_sealed(value):
        return MASK
    if isinstance(value, Mapping):
        return {key: _settings(each, forms, str(key)) for key, each in value.items()}
    if isinstance(value, list):
        return [_settings(each, forms, name) for each in value]
    if SECRET_KEY.search(name) and isinstance(value, str | int | float) and value not in ("", 0, 1):
        return MASK
    if name == CHECKSUM:
        return value
    return masked(value, forms) if isinstance(value, str) else value


def _outputs(value: Mapping[str, Any], forms: Sequence[str]) -> dict[str, Any]:
    return {key: _settings(each, forms) if key in PLAIN else MASK for key, each in value.items()}
