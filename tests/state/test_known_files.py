"""Which files of a listing are new to a bookmark, in a real database."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, event, insert, select, update

from birchtar.state.known_files import Difference, explain, forget_after, new_files, remember, reset, settle
from birchtar.state.listed import ListedFile, Listing
from birchtar.state.tables import bookmark_buckets, bookmark_files, bookmarks, jobs, metadata

MINE, OTHER = 1, 2

A, B, C = ListedFile("file:/in/a", 1, 10), ListedFile("file:/in/b", 2, 20), ListedFile("file:/in/c", 3, 30)


@pytest.fixture
def connection(tmp_path):
    with database(f"sqlite:///{tmp_path}/state.db").begin() as connection:
        yield connection


def database(url):
    engine = create_engine(url)
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(jobs).values(name="job", key="k"))
        for name in ("mine", "other"):
            connection.execute(insert(bookmarks).values(job="job", input=name, kind="files", run_number=0))
    return engine


def mark(connection, found):
    connection.execute(update(bookmarks).where(bookmarks.c.id == MINE).values(mark=found.digest or None))


def difference(connection, *files):
    found = new_files(connection, MINE, Listing.of(files))
    return sorted(found.new), sorted(found.changed), found.unchanged


def test_to_a_bookmark_without_files_all_are_new(connection):
    assert difference(connection, A, B) == ([A, B], [], 0)
    assert difference(connection) == ([], [], 0)


def test_what_was_remembered_is_not_new(connection):
    remember(connection, MINE, [A, B], 1)
    assert difference(connection, A, B) == ([], [], 2)
    assert difference(connection, B, C, A) == ([C], [], 2)


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(A._replace(size=2), id="another size"),
        pytest.param(A._replace(modified=11), id="a later time"),
        pytest.param(A._replace(modified=9), id="an earlier time"),
        pytest.param(A._replace(modified=10_000_000_000_000_000), id="far in the future"),
    ],
)
def test_a_file_of_another_size_or_time_has_changed_until_it_is_read_again(connection, now):
    remember(connection, MINE, [A, B], 1)
    assert difference(connection, now, B) == ([], [now], 1)
    remember(connection, MINE, [now], 2)
    assert difference(connection, now, B) == ([], [], 2)
    assert difference(connection, A, B) == ([], [A], 1)


def test_a_file_that_is_gone_is_no_difference_and_not_new_when_it_is_back(connection):
    remember(connection, MINE, [A, B], 1)
    assert difference(connection, B) == ([], [], 1)
    settle(connection, MINE, new_files(connection, MINE, Listing.of([B])))
    assert difference(connection, A, B) == ([], [], 2)


def test_a_late_file_is_found_whatever_its_time(connection):
    remember(connection, MINE, [B, C], 1)
    assert difference(connection, A, B, C) == ([A], [], 2)


def test_bookmarks_do_not_know_each_others_files(connection):
    remember(connection, OTHER, [A, B], 1)
    assert difference(connection, A) == ([A], [], 0)
    remember(connection, MINE, [A], 1)
    reset(connection, OTHER)
    assert difference(connection, A, B) == ([B], [], 1)


def test_remembering_twice_is_as_once(connection):
    remember(connection, MINE, [A], 1)
    remember(connection, MINE, [A, B], 1)
    remember(connection, MINE, [A, B], 1)
    assert difference(connection, A, B) == ([], [], 2)
    assert len(connection.execute(select(bookmark_files)).all()) == 2


def test_going_back_to_a_run_makes_later_files_new(connection):
    remember(connection, MINE, [A], 1)
    remember(connection, MINE, [B], 2)
    remember(connection, MINE, [C, A._replace(size=9)], 3)
    assert forget_after(connection, MINE, 1) == 3
    assert difference(connection, A, B, C) == ([A, B, C], [], 0)


def test_going_back_keeps_what_earlier_runs_read(connection):
    remember(connection, MINE, [A, B], 1)
    remember(connection, MINE, [C], 2)
    assert forget_after(connection, MINE, 1) == 1
    assert difference(connection, A, B, C) == ([C], [], 2)


def test_a_reset_forgets_all(connection):
    remember(connection, MINE, [A, B], 1)
    assert reset(connection, MINE) == 2
    assert difference(connection, A, B) == ([A, B], [], 0)
    assert connection.execute(select(bookmark_buckets)).all() == []


def test_what_is_known_of_a_file_can_be_asked(connection):
    remember(connection, MINE, [A, B], 7)
    listed = Listing.of([A._replace(size=5), C])
    assert explain(connection, MINE, A.path, listed) == ("changed", A, 7, A._replace(size=5))
    assert explain(connection, MINE, A.path, Listing.of([A])) == ("known", A, 7, A)
    assert explain(connection, MINE, B.path, listed) == ("gone", B, 7, None)
    assert explain(connection, MINE, C.path, listed) == ("new", None, None, C)
    assert explain(connection, MINE, "file:/in/d", listed) == ("nowhere", None, None, None)


def test_paths_of_the_same_crc32_are_told_apart(connection):
    # These two texts are known to have the same crc32.
    one, two = ListedFile("plumless", 1, 1), ListedFile("buckeroo", 2, 2)
    remember(connection, MINE, [one], 1)
    assert difference(connection, two, one) == ([two], [], 1)
    remember(connection, MINE, [two], 1)
    assert difference(connection, one, two) == difference(connection, two, one) == ([], [], 2)


def test_names_of_every_kind_are_texts_like_others(connection):
    files = [ListedFile(f"s3a://b/{name}", 1, 1) for name in ("%20", " ", "ü\n", "'; DROP TABLE jobs --", "{a}", "😀")]
    remember(connection, MINE, files, 1)
    assert difference(connection, *files) == ([], [], 6)


def test_with_nothing_new_no_row_of_a_file_is_looked_at(connection):
    files = [ListedFile(f"file:/in/{number}", number, number) for number in range(5_000)]
    remember(connection, MINE, files, 1)
    Random(1).shuffle(files)
    asked = []
    event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2]))
    assert difference(connection, *files) == ([], [], 5_000)
    assert not [text for text in asked if "bookmark_files" in text]


def test_a_listing_that_is_as_the_last_was_needs_no_look_at_any_bucket(connection):
    files = Listing.of(ListedFile(f"file:/in/{number}", number, number) for number in range(25_000))
    remember(connection, MINE, files, 1)
    mark(connection, new_files(connection, MINE, files))
    asked = []
    event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2]))
    assert new_files(connection, MINE, files) == Difference(unchanged=25_000, digest=files.digest())
    assert len(asked) == 1
    assert "bookmark_buckets" not in asked[0]


@pytest.mark.parametrize(
    "now",
    [
        pytest.param([A, B._replace(size=3)], id="another size"),
        pytest.param([A, B._replace(modified=21)], id="another time"),
        pytest.param([A, B._replace(path="file:/in/B")], id="another name"),
        pytest.param([A, B, C], id="one more"),
        pytest.param([A._replace(size=2), B._replace(size=1)], id="sizes swapped"),
        pytest.param([A._replace(path="file:/in/a\nfile:/in/b")], id="one name of two lines"),
    ],
)
def test_a_listing_that_differs_in_anything_is_looked_at(connection, now):
    remember(connection, MINE, [A, B], 1)
    mark(connection, new_files(connection, MINE, Listing.of([A, B])))
    found = new_files(connection, MINE, Listing.of(now))
    assert len(found.new) + len(found.changed) + found.unchanged == len(now)
    assert len(found.new) + len(found.changed) > 0


def test_once_gone_files_are_settled_no_row_is_looked_at_either(connection):
    files = [ListedFile(f"file:/in/{number}", number, number) for number in range(5_000)]
    remember(connection, MINE, files, 1)
    left = files[:500]
    settle(connection, MINE, new_files(connection, MINE, Listing.of(left)))
    asked = []
    event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2]))
    assert difference(connection, *left) == ([], [], 500)
    assert not [text for text in asked if "bookmark_files" in text]
    assert difference(connection, *files) == ([], [], 5_000)


def test_one_new_file_has_only_its_own_bucket_looked_at(connection):
    files = [ListedFile(f"file:/in/{number}", number, number) for number in range(5_000)]
    remember(connection, MINE, files, 1)
    rows = []
    event.listen(connection, "before_cursor_execute", lambda *call: rows.append(call[3]) if "path" in call[2] else None)
    assert difference(connection, *files, A) == ([A], [], 5_000)
    assert len(rows) <= 1


_FILES = st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(st.integers(0, 2), st.integers(0, 2)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(_FILES, st.booleans()), max_size=6), st.integers(0, 6))
def test_it_tells_what_a_plain_dictionary_would(steps, back_to):
    """Random listings, read or not, with gone and changed files between, and a way back at the end."""
    known: dict[str, tuple[ListedFile, int]] = {}
    with database("sqlite://").begin() as connection:
        for number, (there, is_read) in enumerate(steps, start=1):
            files = [ListedFile(path, *facts) for path, facts in there.items()]
            expected = [file for file in files if known.get(file.path, (None, 0))[0] != file]
            found = new_files(connection, MINE, Listing.of(files))
            assert sorted([*found.new, *found.changed]) == sorted(expected)
            assert sorted(found.changed) == sorted(file for file in expected if file.path in known)
            settle(connection, MINE, found)
            if is_read:
                remember(connection, MINE, [*found.new, *found.changed], number)
                known |= {file.path: (file, number) for file in expected}
                mark(connection, found)
        forget_after(connection, MINE, back_to)
        mark(connection, Difference())
        kept = {path: file for path, (file, number) in known.items() if number <= back_to}
        everything = [file for file, _ in known.values()]
        assert sorted(new_files(connection, MINE, Listing.of(everything)).new) == sorted(
            file for file in everything if file.path not in kept
        )
