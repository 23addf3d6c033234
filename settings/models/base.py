"""Ground types shared by every section of a stack.

Validators here raise through `fault`, which carries what is wrong and what would be right apart,
so that `settings.translate` can print both without parsing a sentence.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from settings.models.slips import mended, parts

FAULT = "stack_fault"
"""The pydantic error type of everything raised through `fault`."""


class Strict(BaseModel):
    """A section: frozen, and an unknown key is an error rather than a typo nobody sees.

    Strict also about types: text is not a number, and `yes` is not a boolean, because the engine's
    YAML reader (YAML 1.2) and Python's (YAML 1.1) disagree about such words.
    """

    elsewhere: ClassVar[Mapping[str, str]] = {}
    """Keys that somebody may look for here, and where what they say belongs."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        validate_default=True,
        use_attribute_docstrings=True,
    )


def fault(wrong: str, right: str) -> PydanticCustomError:
    """An error whose `wrong` continues "KEY: VALUE ..." and whose `right` says what to write."""
    return PydanticCustomError(FAULT, "{wrong}; {right}", {"wrong": wrong, "right": right})


@dataclass(frozen=True)
class Unit:
    """What a number counts, for messages. Stands among the arguments of `Annotated`."""

    name: str


@dataclass(frozen=True)
class Elsewhere:
    """What a truth asks about is said in a secret of this name: whoever writes it here in its place
    is not shown it."""

    secret: str


@dataclass(frozen=True)
class Block:
    """A text of several lines, in any alphabet: a file's content, a key in armor."""


@dataclass(frozen=True)
class Prose:
    """One line in any alphabet."""


class Checked(ABC):
    """What judges a text. Stands among the arguments of `Annotated[str, ...]`."""

    @abstractmethod
    def check(self, text: str) -> str:
        """The text itself; raises `fault` when it is wrong."""

    @property
    @abstractmethod
    def schema_pattern(self) -> str:
        """What the JSON schema says of it: a pattern that is searched for."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "pattern": self.schema_pattern}


@dataclass(frozen=True)
class Form(Checked):
    """The form of a text: a pattern that all of it matches, and the words for one that does not."""

    pattern: str
    wrong: str
    right: str

    def check(self, text: str) -> str:
        """The text itself; raises `fault` when it has another form."""
        if re.fullmatch(self.pattern, text) is None:
            raise fault(self.wrong, self.better(text))
        return text

    def better(self, text: str) -> str:
        """What to write instead: the text itself with a slip of the pen mended, or the rule."""
        # Of what may have a path, a part of the text is something else than the whole.
        whole = any(re.fullmatch(self.pattern, each) for each in ("a/a", "/a", "oci://a/a"))
        for each in (*mended(text), *(() if whole else parts(text))):
            if re.fullmatch(self.pattern, each):
                return f"write {each}"
        return self.right

    @property
    def schema_pattern(self) -> str:
        """The pattern, bound to both ends."""
        return f"^({self.pattern})$"


Name = Annotated[
    str,
    Form(
        r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?",
        "is not a name",
        "write lower-case letters, digits and dashes, starting with a letter, at most 40",
    ),
]
"""A DNS label (RFC 1123) starting with a letter, at most 40 characters: a machine, a VIP group."""

Hostname = Annotated[
    str,
    Form(
        r"(?=.{1,253}$)(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{1,58}[a-z0-9])",
        "is not a host name",
        "write a fully qualified name in lower case such as www.example.org",
    ),
]
"""A fully qualified host name in lower case, without the final dot; may start with `*.`."""


def _single(name: str) -> str:
    if name.startswith("*."):
        raise fault("is a wildcard", f"write one name, such as {name[2:]}")
    return name


Domain = Annotated[Hostname, AfterValidator(_single)]
"""One host name or DNS domain: no wildcard."""

_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def _of_something(checksum: str) -> str:
    if checksum == _OF_NOTHING:
        raise fault("is the checksum of an empty file", "download the file again, then: sha256sum")
    return checksum


Sha256 = Annotated[
    str,
    Form(r"[0-9a-f]{64}", "is not a SHA-256 checksum", "write 64 lower-case hexadecimal digits"),
    AfterValidator(_of_something),
]

ExactVersion = Annotated[
    str,
    Form(
        r"v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?",
        "is no exact version",
        "write all three numbers, such as 1.20.2",
    ),
]
"""Semantic, all of it (semver.org)."""

PackageName = Annotated[
    str,
    Form(
        r"[a-z0-9][a-z0-9+.-]+",
        "is no name of a Debian package",
        "write one name an item, in lower case, such as nfs-common",
    ),
]
"""deb-control(5), Package."""

FileText = Annotated[str, Block()]
"""The whole text of a file."""

Epoch = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
"""A counter that somebody raises by hand."""

Port = Annotated[int, Field(ge=1, le=65535, strict=True)]
"""Of TCP."""

Seconds = Annotated[float, Unit("seconds")]
"""Daemons count milliseconds: less than one would be none, and no limit at all."""
