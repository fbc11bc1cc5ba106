import numpy as np
import pytest

from benchmarks import peers
from benchmarks.contestant import CONTESTANTS
from benchmarks.peers import PEERS, Failed, Result, compete, total

SCORES = np.array([[9.0, 8.0, 0.5], [7.0, 3.0, 0.25], [1.0, 2.0, 0.125]])
BEST = [(0, 1), (1, 0), (2, 2)]


def test_every_contestant_has_a_row():
    assert set(PEERS) == set(CONTESTANTS)


@pytest.mark.parametrize("name", ["compaan", "scipy", "ortools"])
def test_contestants_that_seek_the_optimum_find_it(name):
    assert sorted(CONTESTANTS[name]()(SCORES)) == BEST


def test_points_are_counted_on_the_matrix():
    assert total(SCORES, BEST) == 15.125


@pytest.mark.parametrize("pairs", [[(0, 0), (0, 1)], [(0, 0), (1, 0)]])
def test_a_city_paired_twice_is_no_answer(pairs):
    with pytest.raises(Failed, match="twice"):
        total(SCORES, pairs)


def test_no_pairs_are_no_answer():
    with pytest.raises(Failed, match="no pairs"):
        total(SCORES, [])


def contestant(monkeypatch, tmp_path, code):
    """Put this code in the place of all contestants."""
    script = tmp_path / "script.py"
    script.write_text(code, "utf-8")
    monkeypatch.setattr(peers, "CONTESTANT", script)


def test_a_contestant_that_is_not_installed_is_told(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # no environments here

    found = compete(["scipy", "mentor-match"], SCORES)

    assert found["scipy"].failure is None
    assert found["scipy"].total == found["scipy"].best == 15.125
    assert len(found["scipy"].seconds) == peers.TURNS
    assert found["mentor-match"].failure == "**not installed**"


def test_a_contestant_that_breaks_is_told(monkeypatch, tmp_path):
    contestant(monkeypatch, tmp_path, "raise RuntimeError('out of order')")

    failure = compete(["scipy"], SCORES)["scipy"].failure

    assert failure == "**failed**: RuntimeError: out of order"


def test_a_turn_that_waited_for_a_processor_is_told():
    assert Result(seconds=[3.0, 2.0], worked=[2.9, 1.0]).was_disturbed()
    assert not Result(seconds=[3.0, 2.0], worked=[1.0, 1.9]).was_disturbed()


def test_a_contestant_that_is_too_slow_is_ended(monkeypatch, tmp_path):
    ready = """print('{"before": 1.0}', flush=True); import time; time.sleep(60)"""
    contestant(monkeypatch, tmp_path, ready)
    monkeypatch.setattr(peers, "TIME_OUT", 0.5)

    assert compete(["scipy"], SCORES)["scipy"].failure == "> 0.5"
