"""Cities: profiles, practices, suggestions, and files."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

from client._calls import Calls, as_kept, parsed, path
from client._kept import Kept
from schemas import (
    AreaId,
    AuditEntry,
    AuditLog,
    Cities,
    City,
    Explanation,
    ImportReport,
    PolicyArea,
    PolicyAreas,
    Practice,
    Practices,
    Role,
    StoredPractice,
    Suggestions,
)

Format = Literal["csv", "xlsx", "json", "geojson"]


class CityCalls(Calls):
    """What can be asked and done about cities."""

    def policy_areas(self) -> tuple[PolicyArea, ...]:
        """Return the areas in which cities state needs and strengths, with labels."""
        return self._get(PolicyAreas, path("policy-areas")).items

    def cities(
        self,
        *,
        country: str | None = None,
        area: AreaId | None = None,
        role: Role | None = None,
        q: str | None = None,
        updated_since: datetime | None = None,
    ) -> Iterator[City]:
        """Yield the cities by id.

        Args:
            country: In it.
            area: With a need or a strength there; with `role`, in that role.
            role: That take it.
            q: With this in their name.
            updated_since: Changed then or later; UTC if it has no time zone.

        """
        query = {
            "country": country,
            "area": area,
            "role": role,
            "q": q,
            "updated_since": updated_since.isoformat() if updated_since else None,
        }
        return self._pages(Cities, path("cities"), query)

    def city(self, city_id: str) -> Kept[City]:
        """Return a city."""
        return self._get_kept(City, path("cities", city_id))

    def register(self, city: City) -> Kept[City]:
        """Register a city.

        Raises:
            Conflict: If there is one with this id.

        """
        answer = self._do(path("cities"), city)
        return as_kept(City, answer, path("cities", parsed(City, answer).id))

    def save(self, city: Kept[City]) -> Kept[City]:
        """Replace a city that was read, with its practices.

        Raises:
            Stale: If somebody else has changed it since.

        """
        return self._put(city)

    def city_log(self, city_id: str) -> Iterator[AuditEntry]:
        """Yield what was done with a city, the newest first."""
        return self._pages(AuditLog, path("cities", city_id, "audit"))

    def practices(self, city_id: str) -> tuple[StoredPractice, ...]:
        """Return the good practices of a city."""
        return self._get(Practices, path("cities", city_id, "practices")).items

    def practice(self, city_id: str, practice_id: str) -> Kept[StoredPractice]:
        """Return a practice; its tag is that of the city."""
        at = path("cities", city_id, "practices", practice_id)
        return self._get_kept(StoredPractice, at)

    def add_practice(self, city_id: str, practice: Practice) -> Kept[StoredPractice]:
        """Add a practice to a city, which has a new version then."""
        answer = self._do(path("cities", city_id, "practices"), practice)
        practice_id = parsed(StoredPractice, answer).id
        at = path("cities", city_id, "practices", practice_id)
        return as_kept(StoredPractice, answer, at)

    def suggestions(
        self, city_id: str, *, role: Role = "mentor", limit: int = 5
    ) -> tuple[Explanation, ...]:
        """Return the best partners of a city with reasons, outside any round.

        Args:
            city_id: Who looks for somebody.
            role: Whom it looks for.
            limit: Most partners.

        """
        query = {"role": role, "limit": limit}
        return self._get(
            Suggestions, path("cities", city_id, "suggestions"), query
        ).items

    def import_template(self, kind: Literal["csv", "xlsx"] = "csv") -> bytes:
        """Return the empty spreadsheet of an import."""
        return self._file(path("cities", "import"), {"format": kind})

    def import_cities(
        self,
        file: Path | str | bytes,
        *,
        dry_run: bool = False,
        all_or_nothing: bool = False,
    ) -> ImportReport:
        """Register and change cities as a spreadsheet says.

        Args:
            file: CSV or .xlsx: where it is, or its bytes.
            dry_run: Tell what would happen, and store nothing.
            all_or_nothing: Store nothing if a row is wrong.

        Raises:
            InvalidInput: If it is no table of cities, or nothing in it is right.

        """
        content = file if isinstance(file, bytes) else Path(file).read_bytes()
        query = {
            "dry_run": str(dry_run).lower(),
            "all_or_nothing": str(all_or_nothing).lower(),
        }
        kind = "application/octet-stream"  # the service looks into it
        at = path("cities", "import")
        return parsed(ImportReport, self._do(at, content, query, content_type=kind))

    def export(self, kind: Format = "csv") -> bytes:
        """Return all cities as a file."""
        return self._file(path("cities", "export"), {"format": kind})
