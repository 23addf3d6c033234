"""A kind of import contract that finds its modules by what they do, not by their names."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

from grimp import ImportGraph
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.domain import fields
from importlinter.domain.contract import ContractCheck, InvalidContractOptions
from importlinter.domain.helpers import module_expressions_to_modules
from importlinter.domain.imports import ModuleExpression


class PureContract(ForbiddenContract):
    """Of `source_modules`, those that make or define what only a pure module may.

    `makers` are full names (`package.module.name`) whose call makes a module one of them;
    `definitions` are names of functions at the top of a module that do. Such a module reaches none
    of `forbidden_modules`, over others of ours neither.
    """

    type_name = "pure"

    makers = fields.SetField(subfield=fields.StringField())
    definitions = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        everywhere = module_expressions_to_modules(graph, self.source_modules)
        pure = {
            name
            for name in {module.name for module in everywhere}
            if concerned(tree(name), makers=self.makers, definitions=self.definitions)
        }
        if not pure:
            raise InvalidContractOptions(
                {"makers": f"no module calls one of {sorted(self.makers)}"}
            )
        self.source_modules = {ModuleExpression(name) for name in pure}
        self.as_packages = False
        return super().check(graph, verbose)


def source(name: str) -> Path:
    """The file of a module, found without importing it."""
    top, *rest = name.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{top} is no package that can be imported from here")
    path = Path(next(iter(spec.submodule_search_locations)), *rest)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def tree(name: str) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(source(name).read_text(encoding="utf-8"))


def concerned(module: ast.Module, *, makers: Collection[str], definitions: Collection[str]) -> bool:
    """Whether a module calls one of `makers`, or has a function at its top named in
    `definitions`."""
    if any(isinstance(node, ast.FunctionDef) and node.name in definitions for node in module.body):
        return True
    return not called(module).isdisjoint(makers)


@cache
def called(module: ast.Module) -> frozenset[str]:
    """The full names of what a module calls of what it imports, or defines itself."""
    known = dict(_imported(module))
    return frozenset(
        known.get(name.split(".")[0], name.split(".")[0]) + name[len(name.split(".")[0]) :]
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and (name := _dotted(node.func))
    )


def _imported(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    yield alias.asname, alias.name


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""
