"""The reader of documents sees what does not go as a document says."""

import pytest

from tests.docs.blocks import blocks, fits_json
from tests.docs.reader import read


def told(tmp_path, text):
    """Return the first lines of what the reader complains of."""
    return [one.splitlines() for one in read(tmp_path, blocks(text), {})]


def test_a_document_that_keeps_its_word_is_read_in_one_session(tmp_path):
    text = """
```sh
export NAME=Ghent
greet() { echo "{\\"name\\": \\"$NAME\\", \\"size\\": 3}"; }
greet
```
```json
{"name": "Ghent", …}
```
```console
$ greet | tr a-z A-Z
{"NAME": "GHENT", …}
$ cat nowhere
cat: …
$ echo $?
1
```
"""
    assert told(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("```sh\nfalse\necho goes on\n```", "failed: 1 false"),
        ("```sh\ngreet() { false; }\ngreet\n```", "failed: 1 false"),
        ('```sh\necho \'{"type": "/problems/stale"}\'\n```', "was refused: "),
        ("```sh\necho 1\n```\n```output\n2\n```", "printed"),
        ("```sh\necho '{\"a\": 1}'\n```\n```json\n{}\n```", "printed"),
        ("```console\n$ echo 1\n2\n```", "printed"),
        ("```sh\nexit 3\n```\n```sh\necho 1\n```", "was not reached"),
    ],
)
def test_what_does_not_go_as_it_says_is_told(tmp_path, text, line):
    found = told(tmp_path, text)

    assert [one for lines in found for one in lines if one.startswith(line)]


@pytest.mark.parametrize(
    ("shown", "came", "fits"),
    [
        ('{"a": [1, …], "b": "x…z", …}', '{"a": [1, 2], "b": "xyz", "c": null}', True),
        ('{"a": …}', '{"a": {"b": 1}}', True),
        ('{"a": …}', '{"a": 1, "b": 2}', False),
        ('{"a": 1, …}', '{"b": 1}', False),
        ("[1]", "[1, 2]", False),
        ("[1]", "[true]", False),
        ('{"a": 1}', "no JSON", False),
    ],
)
def test_json_is_compared_by_whole_values(shown, came, fits):
    assert fits_json(shown, came) is fits
