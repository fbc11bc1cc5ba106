"""Sets up a round by the API, and a limit for its policy."""


def make(service, **fields):
    answer = service.post("/rounds", {"name": "Housing"} | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


CAP = {"side": "mentor", "by": "country", "per": "round", "max": 1}
