"""The YAML of stack files, whatever stands in it: read as the engine reads it, or refused by
place."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from settings.files import examine
from settings.problems import SettingsError
from settings.reader import LARGEST_FILE, read_bytes, read_config
from tests.settings.fixtures import BASE


def refusal(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read_config(text, "f")
    (line,) = str(caught.value).splitlines()
    return line


def told(text: str) -> list[str]:
    return [str(each) for each in examine(read_config(text, "f")).problems]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "config:\n  layered-cloud:platform: " + "[" * 1500 + "]" * 1500,
            "f: line 2, column 85 (layered-cloud:platform): not YAML: more than 60 levels, one "
            "inside the other; correct the file",
        ),
        (
            "config:\n  layered-cloud:access: \x00\n",
            "f: line 2, column 25 (layered-cloud:access): not YAML: U+0000 (a control character) "
            "is no text; remove it",
        ),
        (
            "config: &a\n  x: *a\n",
            "f: line 1, column 9: not YAML: a value that holds itself; correct the file",
        ),
        (
            "config:\n  x: !!python/object:os.system {}\n",
            "f: line 2, column 6: not YAML: the tag tag:yaml.org,2002:python/object:os.system is "
            "not read; write the value without a tag, and secrets as the engine seals them",
        ),
        (
            "config:\n\tx: 1\n",
            "f: line 2, column 1: not YAML: found character '\\t' that cannot start any token; "
            "indent with blanks, not tabs",
        ),
        (
            "config:\n  x: *y\n",
            "f: line 2, column 6: not YAML: found undefined alias 'y'; quote a value that starts "
            "with *",
        ),
        (
            f"config:\n  x: {'9' * 5000}\n",
            "f: line 2, column 6: not YAML: a number of 5000 digits; correct the file",
        ),
        (
            'config:\n  x: "\\U00110000"\n',
            "f: line 2, column 9: not YAML: a number that stands for nothing; write a character as "
            "it is, and no escape or directive",
        ),
        (
            'config:\n  x: "\\UFFFFFFFF"\n',
            "f: line 2, column 9: not YAML: a number that stands for nothing; write a character as "
            "it is, and no escape or directive",
        ),
        (
            f"%YAML 1.{'9' * 5000}\n---\nconfig: {{}}\n",
            "f: line 1, column 9: not YAML: a number that stands for nothing; write a character as "
            "it is, and no escape or directive",
        ),
        (
            "config:\n  x: *.example.org\n",
            "f: line 2, column 7: not YAML: expected alphabetic or numeric character, but found "
            "'.'; quote a value that starts with * or &",
        ),
        (
            "config:\n  x: {{ zone }}\n",
            "f: line 2, column 7: not YAML: found unhashable key; write keys as text, and quote a "
            "value that starts with {",
        ),
        (
            "config:\n  x: { <<: 5 }\n",
            "f: line 2, column 12: not YAML: expected a mapping or list of mappings for merging, "
            "but found scalar; write <<: *NAME, of a mapping that has &NAME in front",
        ),
        (
            "config:\n  x: { <<: { a: 1 }, <<: { a: 2 } }\n",
            "f: line 2, column 22: not YAML: the key << stands twice; leave one of the two",
        ),
        (
            "config: {}\n---\nconfig: {}\n",
            "f: line 2, column 1: not YAML: but found another document; write one document: no "
            "line of dashes between",
        ),
        (
            "config:\n<<<<<<< HEAD\n  a: 1\n=======\n  a: 2\n>>>>>>> b\n",
            "f: line 2: holds a conflict that Git left; keep one side, without the marks",
        ),
        (
            "config:\n  a: 1\n  b: 2\n\u00a0 c: 3\n  d: 1\n",
            "f: line 4, column 1: not YAML: U+00A0 (NO-BREAK SPACE) indents nothing; write an "
            "ordinary blank",
        ),
        (
            "konfig: {}\nconfig: {}\n",
            "f: konfig: is not a key of a stack file; did you mean config? valid here: config, "
            "secretsprovider, encryptedkey, encryptionsalt, environment",
        ),
        (
            "layered-cloud:cdn: {}\nconfig: {}\n",
            "f: layered-cloud:cdn: is not a key of a stack file; indent it under `config:`",
        ),
    ],
)
def test_what_is_no_stack_file_is_refused_by_place(text: str, line: str) -> None:
    assert refusal(text) == line


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["config:", "  a: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 8):
        lines.append(f"  b{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]")
    assert "more than 20000 values" in refusal("\n".join(lines))


def test_a_file_of_too_many_values_is_read_no_further_than_that() -> None:
    """300,000 of them, which a file has room for, took ten seconds."""
    text = f"config:\n  x: [{'1,' * 30_000}]\n  x: }}\n"
    line, _, rest = refusal(text).partition(": not YAML: ")
    assert rest == "more than 20000 values; correct the file"
    # The document, its key, what that holds, the list's key and the list: 19,995 members are left.
    assert line == f"f: line 2, column {len('  x: [') + 2 * 19_995 + 1}"


@pytest.mark.parametrize(
    "text",
    [
        "config:\n" + "".join(f"  layered-cloud:k{at}: x\n" for at in range(9000)),
        "config:\n  layered-cloud:proxmox:\n" + "".join(f"    k{at}: x\n" for at in range(9000)),
    ],
    ids=["sections", "keys"],
)
def test_of_thousands_of_errors_the_first_are_told_in_no_time(text: str) -> None:
    started = time.process_time()
    lines = told(text)
    assert time.process_time() - started < 2
    (rest,) = [line for line in lines if "more errors" in line]
    number = int(rest.split()[2])
    assert rest == f"config: has {number} more errors, which are not told; mend these first"
    assert number + len([line for line in lines if "is not a key here" in line]) >= 9000


def test_a_secret_of_a_provider_in_clear_is_refused() -> None:
    token = "root@pam!x=12345678-1234-1234-1234-123456789012"
    (line,) = [
        line for line in told(f"config:\n  proxmoxve:apiToken: {token}\n") if "apiToken" in line
    ]
    assert line == (
        "proxmoxve:apiToken: is a secret in clear text; remove it, and replace it; then: "
        "pulumi config set --secret proxmoxve:apiToken"
    )


def test_a_mark_at_the_beginning_and_text_with_a_tag_are_read() -> None:
    assert read_config("\ufeffconfig: {a: !!str 1.20}\n", "f") == {"a": "1.20"}


def test_bytes_that_are_no_text_are_refused_with_their_line() -> None:
    with pytest.raises(SettingsError) as caught:
        read_bytes(b"config:\n  x: \xe9\n", "f")
    assert str(caught.value) == ("f: line 2: is not UTF-8 text: byte 0xe9; save the file as UTF-8")


def test_a_file_that_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(SettingsError, match=f"more than a stack file has \\({LARGEST_FILE}\\)"):
        read_bytes(b"#" * (LARGEST_FILE + 1), "f")


def test_numbers_are_shown_as_they_were_written() -> None:
    config = read_config(
        "config: {a: 1.20, b: [0.50, 010], c: '1.20', d: 0x10, e: 1_0, f: true}", "f"
    )
    assert config.numbers == {
        ("a",): "1.20",
        ("b", 0): "0.50",
        ("b", 1): "010",
        ("d",): "0x10",
        ("f",): "true",
    }
    assert config.ambiguous == {
        ("b", 1): ("010", "10, or 8 if octal was meant"),
        ("e",): ("1_0", "10"),
    }
    assert config == {"a": 1.2, "b": [0.5, 10], "c": "1.20", "d": 16, "e": "1_0", "f": True}


def test_a_number_put_in_since_is_shown_itself() -> None:
    config = read_config(BASE.read_text("utf-8").replace("vm_id: 131", "vm_id: 0131"), "f")
    worker = config["layered-cloud:cluster"]["workers"][0]
    assert len(examine(config).problems) == 1
    worker["vm_id"] = 133
    assert examine(config).problems == []


def test_a_misspelt_section_is_read_all_the_same() -> None:
    text = BASE.read_text("utf-8").replace("layered-cloud:routers:", "layered-cluod:routers:")
    (first, second) = told(text.replace("vrid: 71", "vrid: 62"))
    assert first.startswith("layered-cluod:routers: is of the namespace layered-cluod, ")
    assert second.startswith("layered-cloud:balancers.vips[0].vrid: 62 is the VRID of ")


def test_every_fault_of_a_kind_that_cannot_be_seen_is_told_at_once() -> None:
    text = BASE.read_text("utf-8")
    text = text.replace("name: router-a", 'name: "router-\\u0430"', 1)
    text = text.replace("name: lb-a", 'name: "lb-a "', 1).replace("vlan: 20", "vlan: 020")
    assert [line.partition(": ")[0] for line in told(text)] == [
        "layered-cloud:networks.sync.vlan",
        "layered-cloud:routers.machines[0].name",
        "layered-cloud:balancers.machines[0].name",
    ]


def test_a_path_is_read_from_bytes(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.x.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + BASE.read_bytes())
    assert examine(read_bytes(path.read_bytes(), str(path))).problems == []
