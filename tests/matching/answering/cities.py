"""Small cities for rounds of a handful."""

CITIES = [
    {
        "id": "ghent",
        "name": "Ghent",
        "country": "BE",
        "roles": ["mentor"],
        "areas": {"housing": {"strength": 4}},
        "latitude": 51.0,
        "longitude": 3.7,
        "population": 260_000,
        "languages": ["nl"],
    },
    {
        "id": "lyon",
        "name": "Lyon",
        "country": "FR",
        "roles": ["mentor"],
        "areas": {"housing": {"strength": 1}},
        "latitude": 45.8,
        "longitude": 4.8,
        "population": 520_000,
        "languages": ["fr"],
    },
    {
        "id": "arlon",
        "name": "Arlon",
        "country": "BE",
        "roles": ["learner"],
        "areas": {"housing": {"need": 4}},
        "latitude": 49.7,
        "longitude": 5.8,
        "population": 30_000,
        "languages": ["fr"],
    },
    {
        "id": "namur",
        "name": "Namur",
        "country": "BE",
        "roles": ["learner"],
        "areas": {"housing": {"need": 2}},
        "latitude": 50.5,
        "longitude": 4.9,
        "population": 110_000,
        "languages": ["fr"],
    },
]


def without(cities, gone):
    return [one for one in cities if one["id"] not in gone]


def city(name, role, **fields):
    own = {"areas": {"housing": {"need": 2, "strength": 3}}, "country": "BE"}
    return {"id": name, "name": name.title(), "roles": [role]} | own | fields
