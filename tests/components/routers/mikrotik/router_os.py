"""RouterOS as far as MikroTik's manual tells it (`manual.py`): its script language is read and run
on tables in memory. What the manual does not have is a syntax error, told before anything runs.

developer-guides/scripting has the language: command lines, `[]` as substitution, `()` as
expression, `{}` as block or array, strings with `$variables`, `find where` with conditions.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.components.routers.mikrotik.manual import COMMANDS, GLOBALS, MENUS, RESERVED, VERBS

_WORD = re.compile(r"[^\s;\[\](){}\"$=~]+")
_VARIABLE = re.compile(r"\$([A-Za-z0-9]+)")
_KEY = re.compile(r"([a-z0-9-]+)=(?!=)")
_CONDITION = re.compile(r"([a-z0-9-]+)(!=|=|~)?")


class ScriptError(Exception):
    """What the console prints when a script ends early."""


class Syntax(ScriptError):
    """The script is not read to its end, and none of it runs."""


@dataclass
class Command:
    """A command line: its name, arguments by key, and values without one."""

    name: str
    line: int
    keyed: dict[str, Any] = field(default_factory=dict)
    values: list[Any] = field(default_factory=list)
    where: list[tuple[str, str | None, Any]] = field(default_factory=list)


@dataclass
class Text:
    parts: list[tuple[bool, str]]  # whether it is a variable


@dataclass
class Block:
    commands: list[Command]


@dataclass
class Array:
    values: list[Any]


@dataclass
class Sum:
    left: Any
    operator: str
    right: Any


class Reader:
    """A script, read as a whole. Raises `Syntax`."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def fail(self, why: str) -> Syntax:
        before = self.text[: self.at]
        column = self.at - before.rfind("\n")
        return Syntax(f"syntax error (line {before.count(chr(10)) + 1} column {column}): {why}")

    def peek(self, token: str) -> bool:
        return self.text.startswith(token, self.at)

    def take(self, token: str) -> None:
        if not self.peek(token):
            raise self.fail(f"expected {token!r}")
        self.at += len(token)

    def blanks(self, characters: str = " ") -> None:
        while self.at < len(self.text) and self.text[self.at] in characters:
            self.at += 1

    def script(self) -> list[Command]:
        commands = self.commands("")
        if self.at != len(self.text):
            raise self.fail("what follows is no command")
        return commands

    def commands(self, end: str) -> list[Command]:
        found: list[Command] = []
        while True:
            self.blanks(" \n;")
            if self.at >= len(self.text) or (end and self.peek(end)):
                return found
            if self.peek("#"):
                self.at = (self.text.find("\n", self.at) + 1) or len(self.text)
            else:
                found.append(self.command(end))

    def command(self, end: str) -> Command:
        line = self.text.count("\n", 0, self.at) + 1
        found = _WORD.match(self.text, self.at)
        if found is None or found[0][0] not in ":/":
            raise self.fail("expected a command name")
        command = Command(found[0], line)
        self.known(command)
        self.at = found.end()
        if self.verb(command) == "find" and command.name[0] == "/":
            self.conditions(command, end)
            return command
        while True:
            self.blanks()
            if self.at >= len(self.text) or self.text[self.at] in "\n;" or self.peek(end or "\n"):
                break
            key = _KEY.match(self.text, self.at)
            if key is not None:
                self.at = key.end()
                command.keyed[key[1]] = self.value()
            else:
                command.values.append(self.value())
        self.allowed(command)
        return command

    @staticmethod
    def verb(command: Command) -> str:
        return command.name.rpartition("/")[2]

    def known(self, command: Command) -> None:
        """A name that the manual has."""
        menu, _, verb = command.name.rpartition("/")
        if command.name[0] == ":":
            known = command.name[1:] in GLOBALS
        else:
            known = command.name in COMMANDS or (menu in MENUS and verb in VERBS)
        if not known:
            raise self.fail(f"bad command name {command.name}")

    def allowed(self, command: Command) -> None:
        """Arguments that the manual has, with values of their type, the mandatory ones there."""
        if command.name in (":local", ":foreach", ":set"):
            name = command.values[0]
            if (
                not isinstance(name, str)
                or name in RESERVED
                or not re.fullmatch("[A-Za-z0-9]+", name)
            ):
                raise self.fail(f"{name} is no name of a variable")
        if command.name[0] == ":":
            return
        menu, _, verb = command.name.rpartition("/")
        patterns = COMMANDS.get(command.name)
        if patterns is None:
            of = MENUS[menu]
            patterns = {**of.args, "comment": ".+", "disabled": "yes|no"}
            if verb == "move":
                patterns = {"destination": ".*"}
                if not of.ordered:
                    raise self.fail(f"{menu} has no order")
            lacking = [each for each in of.needs if each not in command.keyed]
            if verb == "add" and lacking:
                raise self.fail(f"{command.name} lacks {lacking}")
            if verb == "get":
                return
        for key, value in command.keyed.items():
            if key not in patterns:
                raise self.fail(f"{command.name} has no argument {key}")
            written = self.constant(value)
            if written is not None and not re.fullmatch(patterns[key], written):
                raise self.fail(f"{command.name} {key}={written}: no such value")

    @staticmethod
    def constant(value: Any) -> str | None:
        """A value without variables; one with them is judged when it runs."""
        if isinstance(value, str):
            return value
        if isinstance(value, Text) and not any(variable for variable, _ in value.parts):
            return "".join(part for _, part in value.parts)
        return None

    def conditions(self, command: Command, end: str) -> None:
        self.blanks()
        if not self.peek("where"):
            raise self.fail("find without where")
        self.take("where")
        of = MENUS[command.name.rpartition("/")[0]]
        while True:
            self.blanks()
            found = _CONDITION.match(self.text, self.at)
            if found is None:
                raise self.fail("expected a condition")
            key, operator = found[1], found[2]
            if key not in (*of.args, *of.flags, "comment", "disabled", "dynamic"):
                raise self.fail(f"{command.name}: no property {key}")
            self.at = found.end()
            value = self.value() if operator else None
            command.where.append((key, operator, value))
            self.blanks()
            if not self.peek("and "):
                break
            self.take("and")
        if end and not self.peek(end):
            raise self.fail("expected 'and', or the end")

    def value(self) -> Any:
        if self.peek('"'):
            return self.string()
        if self.peek("["):
            self.take("[")
            self.blanks()
            command = self.command("]")
            self.blanks()
            self.take("]")
            return command
        if self.peek("("):
            return self.expression()
        if self.peek("{"):
            return self.braces()
        if (found := _VARIABLE.match(self.text, self.at)) is not None:
            self.at = found.end()
            return Text([(True, found[1])])
        if (found := _WORD.match(self.text, self.at)) is not None:
            self.at = found.end()
            return found[0]
        raise self.fail("expected a value")

    def string(self) -> Text:
        self.take('"')
        parts: list[tuple[bool, str]] = []
        while not self.peek('"'):
            if self.at >= len(self.text) or self.peek("\n"):
                raise self.fail("a string without its end")
            if self.peek("\\"):
                if self.text[self.at + 1] not in '"\\$nrt':
                    raise self.fail("no such escape sequence")
                parts.append((False, self.text[self.at + 1]))
                self.at += 2
            elif (found := _VARIABLE.match(self.text, self.at)) is not None:
                parts.append((True, found[1]))
                self.at = found.end()
            elif self.peek("$"):
                raise self.fail("a $ that leads to nothing")
            else:
                parts.append((False, self.text[self.at]))
                self.at += 1
        self.take('"')
        return Text(parts)

    def expression(self) -> Any:
        self.take("(")
        self.blanks()
        left = self.value()
        self.blanks()
        while not self.peek(")"):
            operator = next((each for each in ("!=", "=", ">", "<", ".") if self.peek(each)), None)
            if operator is None:
                raise self.fail("expected an operator")
            self.take(operator)
            self.blanks()
            left = Sum(left, operator, self.value())
            self.blanks()
        self.take(")")
        return left

    def braces(self) -> Block | Array:
        self.take("{")
        self.blanks(" \n")
        if self.peek('"'):
            values = [self.value()]
            while self.peek(";"):
                self.take(";")
                values.append(self.value())
            self.take("}")
            return Array(values)
        commands = self.commands("}")
        self.take("}")
        return Block(commands)


@dataclass
class RouterOs:
    """One router: `tables` are its menus' items, `values` its settings menus. `answers` are the
    addresses that answer a ping. `printed` is what the session saw."""

    interfaces: tuple[str, ...]
    management: tuple[str, str]
    version: str = "7.20 (stable)"
    answers: frozenset[str] = frozenset()
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)
    backups: dict[str, Any] = field(default_factory=dict)
    after: Callable[[Command], None] | None = None
    """Called after every command that changed something: what a packet would meet then."""
    _last: int = 0

    def __post_init__(self) -> None:
        for menu in MENUS:
            self.tables.setdefault(menu, [])
            self.values.setdefault(menu, {})
        for name in self.interfaces:
            self.insert("/interface", {"name": name})
        self.insert(
            "/ip/address", dict(zip(("address", "interface"), self.management, strict=True))
        )
        self.values["/system/resource"]["version"] = self.version

    # --- what tests ask

    def items(self, menu: str, **match: Any) -> list[dict[str, Any]]:
        """Items of a menu whose properties are these."""
        return [
            item
            for item in self.tables[menu]
            if all(item.get(key.replace("_", "-")) == value for key, value in match.items())
        ]

    def configuration(self) -> dict[str, Any]:
        """Everything but numbers of items and the way back."""
        shown = {
            menu: [{k: v for k, v in item.items() if k != ".id"} for item in items]
            for menu, items in self.tables.items()
            if menu not in ("/file", "/system/scheduler")
        }
        return {"items": shown, "settings": self.values}

    def restart(self) -> None:
        """What the scheduler's entry does when its time has come."""
        (entry,) = self.items("/system/scheduler", name="layered-restore")
        self.run(Reader(entry["on-event"]).script(), {})

    # --- what a session does

    def source(self, text: str) -> str:
        """/import of a text: what it prints, its error at the end."""
        self.printed = []
        try:
            self.run(Reader(text).script(), {})
        except ScriptError as error:
            self.printed.append(str(error))
        return "\n".join(self.printed)

    def insert(self, menu: str, item: dict[str, Any]) -> str:
        self._last += 1
        identity = f"*{self._last:X}"
        self.tables[menu].append({".id": identity, "disabled": "no", **item})
        return identity

    def run(self, commands: list[Command], scope: dict[str, Any]) -> Any:
        for command in commands:
            self.execute(command, scope)

    def execute(self, command: Command, scope: dict[str, Any]) -> Any:
        try:
            if command.name[0] == ":":
                return self.globally(command, scope)
            return self.menu(command, scope)
        except ScriptError as error:
            if isinstance(error, Syntax) or "; line " in str(error):
                raise
            raise ScriptError(f"{error} ({command.name}; line {command.line})") from None

    def evaluate(self, value: Any, scope: dict[str, Any]) -> Any:
        if isinstance(value, Command):
            return self.execute(value, scope)
        if isinstance(value, Text):
            return self.text(value, scope)
        if isinstance(value, Array):
            return [self.evaluate(each, scope) for each in value.values]
        return self.sum(value, scope) if isinstance(value, Sum) else value

    def sum(self, value: Sum, scope: dict[str, Any]) -> Any:
        left, right = (self.evaluate(each, scope) for each in (value.left, value.right))
        if value.operator == ".":
            return f"{left}{right}"
        if value.operator in "<>":
            return (int(left) > int(right)) == (value.operator == ">")
        return (str(left) == str(right)) == (value.operator == "=")

    @staticmethod
    def text(value: Text, scope: dict[str, Any]) -> Any:
        for variable, name in value.parts:
            if variable and name not in scope:
                raise Syntax(f"undefined variable {name}")
        if len(value.parts) == 1 and value.parts[0][0]:
            return scope[value.parts[0][1]]
        return "".join(str(scope[part]) if variable else part for variable, part in value.parts)

    def globally(self, command: Command, scope: dict[str, Any]) -> Any:
        name = command.name[1:]
        if name in ("local", "set"):
            return self.variable(command, scope)
        if name in ("foreach", "if"):
            return self.branch(command, scope)
        given = [self.evaluate(each, scope) for each in command.values]
        if name == "put":
            return self.printed.append(str(given[0]))
        if name == "error":
            raise ScriptError(f"{given[0]} (:error; line {command.line})")
        return _GLOBALS[name](*given)

    def variable(self, command: Command, scope: dict[str, Any]) -> None:
        name, *given = command.values
        if command.name == ":set" and name not in scope:
            raise Syntax(f"undefined variable {name}")
        scope[name] = self.evaluate(given[0], scope) if given else None

    def branch(self, command: Command, scope: dict[str, Any]) -> None:
        if command.name == ":foreach":
            for each in self.evaluate(command.keyed["in"], scope):
                scope[command.values[0]] = each
                self.run(command.keyed["do"].commands, scope)
            return
        holds = self.evaluate(command.values[0], scope)
        assert isinstance(holds, bool), command
        branch = command.keyed["do"] if holds else command.keyed.get("else")
        if branch is not None:
            self.run(branch.commands, scope)

    def menu(self, command: Command, scope: dict[str, Any]) -> Any:
        if command.name in COMMANDS:
            return self.alone(command, scope)
        menu, _, verb = command.name.rpartition("/")
        given = self.given(menu, command, scope)
        if verb == "find":
            return [item[".id"] for item in self.tables[menu] if self.matches(item, command, scope)]
        if MENUS[menu].settings:
            if verb == "get":
                return self.values[menu][str(command.values[0])]
            self.values[menu] |= given
        elif verb == "add":
            self.unique(menu, given)
            self.insert(menu, given)
        else:
            picked = self.picked(menu, self.evaluate(command.values[0], scope))
            if verb == "get":
                return picked[0].get(str(command.values[1]))
            self.change(menu, verb, picked, given)
        return self.changed(command)

    def given(self, menu: str, command: Command, scope: dict[str, Any]) -> dict[str, Any]:
        of = MENUS[menu]
        given = {key: self.evaluate(value, scope) for key, value in command.keyed.items()}
        for key, value in given.items():
            pattern = {**of.args, "comment": ".+", "disabled": "yes|no", "destination": ".*"}[key]
            if not re.fullmatch(pattern, str(value)):
                raise ScriptError(f"invalid value {value} for {key}")
            if key in of.refers and not self.named(of.refers[key], str(value)):
                raise ScriptError(f"input does not match any value of {key} ({value})")
        return given

    def picked(self, menu: str, chosen: Any) -> list[dict[str, Any]]:
        wanted = chosen if isinstance(chosen, list) else [chosen]
        if not {*wanted} <= {item[".id"] for item in self.tables[menu]}:
            raise ScriptError("no such item")
        return [item for item in self.tables[menu] if item[".id"] in wanted]

    def change(
        self, menu: str, verb: str, picked: list[dict[str, Any]], given: dict[str, Any]
    ) -> None:
        rest = [item for item in self.tables[menu] if item not in picked]
        if verb == "remove":
            self.tables[menu] = rest
        elif verb == "move":
            place = next(i for i, item in enumerate(rest) if item[".id"] == given["destination"])
            self.tables[menu] = [*rest[:place], *picked, *rest[place:]]
        else:
            told = given if verb == "set" else {"disabled": "no" if verb == "enable" else "yes"}
            for item in picked:
                self.unique(menu, {**item, **told}, item)
                item.update(told)

    def changed(self, command: Command) -> None:
        if self.after is not None:
            self.after(command)

    def named(self, menu: str, name: str) -> bool:
        menus = (menu, "/interface/vrrp") if menu == "/interface" else (menu,)
        return any(item.get("name") == name for each in menus for item in self.tables[each])

    def unique(self, menu: str, given: dict[str, Any], but: Any = None) -> None:
        once = MENUS[menu].once
        same = [
            item
            for item in self.tables[menu]
            if item is not but and once and all(item.get(key) == given.get(key) for key in once)
        ]
        if same:
            raise ScriptError(f"failure: already have such {menu.rpartition('/')[2]}")

    def matches(self, item: dict[str, Any], command: Command, scope: dict[str, Any]) -> bool:
        return all(self.holds(item, *each, scope) for each in command.where)

    def holds(
        self, item: dict[str, Any], key: str, operator: str | None, value: Any, scope: Any
    ) -> bool:
        has = item.get(key)
        if operator is None:
            return has is True or has == "yes"
        wanted = self.evaluate(value, scope)
        if operator == "~":
            return has is not None and re.search(str(wanted), str(has)) is not None
        if key in ("dynamic", "disabled", "invalid"):
            has = "yes" if has in (True, "yes") else "no"
        return (has == wanted) == (operator == "=")

    def alone(self, command: Command, scope: dict[str, Any]) -> Any:
        given = {key: self.evaluate(value, scope) for key, value in command.keyed.items()}
        if command.name == "/ping":
            return int(given["count"]) if given["address"] in self.answers else 0
        if command.name == "/system/backup/save":
            self.backups[given["name"]] = copy.deepcopy((self.tables, self.values))
            self.insert("/file", {"name": f"{given['name']}.backup"})
            return self.changed(command)
        if command.name == "/system/backup/load":
            if "password" not in given:
                raise ScriptError("a password is asked for, and nobody answers")
            files = self.tables["/file"]
            self.tables, self.values = copy.deepcopy(self.backups[given["name"]])
            self.tables["/file"] = files
            return self.changed(command)
        raise AssertionError(command.name)


_GLOBALS: dict[str, Callable[..., Any]] = {
    "pick": lambda whole, start, end=None: (
        whole[int(start)] if end is None else whole[int(start) : int(end)]
    ),
    "find": lambda whole, part: whole.index(part) if part in whole else None,
    "len": len,
    "typeof": lambda it: "nil" if it is None else type(it).__name__,
    "tostr": lambda it: "" if it is None else str(it),
}


def commands(text: str) -> Iterator[Command]:
    """Every command line of a script, those inside others too."""
    todo: list[Any] = list(Reader(text).script())
    while todo:
        each = todo.pop(0)
        if isinstance(each, Command):
            yield each
            todo += [*each.values, *each.keyed.values(), *(value for _, _, value in each.where)]
        elif isinstance(each, Block):
            todo += each.commands
        elif isinstance(each, Array):
            todo += each.values
        elif isinstance(each, Sum):
            todo += [each.left, each.right]
