"""Import contracts of our own: which rooms a room may import, and what is private.

`pyproject.toml` registers them as contract types of import-linter
(https://import-linter.readthedocs.io/en/stable/custom_contract_types/), and
`lint-imports` checks them.
"""

from collections.abc import Iterator
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class _Faults(Contract):
    """A contract that lists the imports which break it."""

    def faults(self, graph: ImportGraph) -> Iterator[str]:
        """Yield what is wrong, a line for each import."""
        raise NotImplementedError

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001 -- the signature of import-linter
        """Find the imports that break this contract."""
        found = sorted(self.faults(graph))
        return ContractCheck(kept=not found, metadata={"faults": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print the imports that break this contract."""
        for fault in check.metadata["faults"]:
            output.print_error(fault)


class RoomsContract(_Faults):
    """The rooms of a package import those rooms of it that are named, and no others.

    Configuration options:
        - container: The package. Its modules and packages are its rooms.
        - rooms: A line for every room: its name, an arrow, and the rooms it may import;
            `shared -> ` imports none. A room without a line is a fault, so that a new
            one is thought about.
    """

    type_name = "rooms"
    container = fields.StringField()
    rooms = fields.ListField(subfield=fields.StringField())

    def faults(self, graph: ImportGraph) -> Iterator[str]:
        """Yield rooms without a line, and imports that no line allows."""
        container: Any = self.container
        lines: Any = self.rooms
        allowed = {
            room.strip(): set(others.split())
            for room, _, others in (line.partition("->") for line in lines)
        }
        there = {_room(child, container) for child in graph.find_children(container)}
        for room in there - allowed.keys():
            yield f"{container}.{room}: no line says what it may import"
        for room in allowed.keys() - there:
            yield f"{container}.{room}: there is no such room"
        for room in there & allowed.keys():
            own = f"{container}.{room}"
            for module in {own} | graph.find_descendants(own):
                for imported in graph.find_modules_directly_imported_by(module):
                    other = _room(imported, container)
                    if other and other not in {room, *allowed[room]}:
                        yield f"{module} imports {imported}: {room} may not"


class PrivateContract(_Faults):
    """What begins with an underscore is imported within its own package only.

    Configuration options:
        - packages: The packages in which this holds.
    """

    type_name = "private"
    packages = fields.ListField(subfield=fields.StringField())

    def faults(self, graph: ImportGraph) -> Iterator[str]:
        """Yield imports of private modules from outside of their package."""
        packages: Any = self.packages
        for package in packages:
            for module in graph.find_descendants(package):
                for imported in graph.find_modules_directly_imported_by(module):
                    owner = _owner(imported)
                    if owner and not f"{module}.".startswith(f"{owner}."):
                        yield f"{module} imports {imported}: private to {owner}"


def _room(module: str, container: str) -> str:
    """Return the room of the container that the module is in; empty if in none."""
    if not module.startswith(f"{container}."):
        return ""
    return module.removeprefix(f"{container}.").partition(".")[0]


def _owner(module: str) -> str:
    """Return the package that the module is private to, or an empty text."""
    parts = module.split(".")
    for at, part in enumerate(parts):
        if part.startswith("_") and not part.startswith("__"):
            return ".".join(parts[:at])
    return ""
