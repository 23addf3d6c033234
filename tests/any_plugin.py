"""A provider of any name that takes any resource and makes none: for previews without the real one.

python -m tests.any_plugin NAME [ENGINE]
"""

from __future__ import annotations

import sys

from lab.plugins.server import Provider, Resource, serve


class Anything(Resource):
    """A resource of any type: its outputs are its inputs, and an id that is not known yet."""

    token = ""


class AnyProvider(Provider):
    """The provider."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.__dict__.update(name=name, version="0.0.0")

    def resource(self, token: str) -> Resource:
        """Whatever the token is."""
        return Anything()


if __name__ == "__main__":
    name = sys.argv.pop(1)
    serve(AnyProvider(name))
