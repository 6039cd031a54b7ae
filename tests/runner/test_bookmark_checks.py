"""What a config may not say about databases and bookmarks."""

import pytest

from birchtar.runner.load import load
from birchtar.runner.problems import ConfigError

FILES = "files (avro, csv, json, orc, parquet)"
GROWS = "a bookmark of a database's table needs `bookmark_keys`: columns that grow from row to row."
SAY_WHERE = "Say where they are: `user: env:NAME`, `password: file:/path`."
SHOP = "url: 'jdbc:postgresql://h/shop', table: orders"


def complaints(path):
    with pytest.raises(ConfigError) as caught:
        load(path)
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{format: csv}", ["2:3: `path` is missing."], id="no path"),
        pytest.param(
            "{format: csv, heder: true}",
            ["2:3: `path` is missing.", "2:25: there is no key `heder` here. Did you mean `header`?"],
            id="no path beside another mistake",
        ),
        pytest.param(
            "{path: people.csv, format: csv, url: 'jdbc:x:y', fetch_size: 5}",
            ["2:43: `url` is for jdbc only, not for csv.", "2:60: `fetch_size` is for jdbc only, not for csv."],
            id="a database's keys on files",
        ),
        pytest.param(
            "{format: jdbc}",
            [
                "2:3: `url` is missing, such as jdbc:postgresql://host:5432/shop.",
                "2:3: a database needs either `table` or `query`.",
            ],
            id="a database without anything",
        ),
        pytest.param(
            f"{{format: jdbc, {SHOP}, query: SELECT 1}}",
            ["2:3: a database needs either `table` or `query`."],
            id="a table and a query",
        ),
        pytest.param(
            f"{{path: people.csv, format: jdbc, {SHOP}}}",
            ["2:12: `path` is for files; a database has `url` and `table`."],
            id="a path and a database",
        ),
        pytest.param(
            "{format: jdbc, url: 'jdbc:postgresql://ada:pw@h/shop', table: t}",
            ["2:31: the URL holds a user or password. Say where they are: `user: env:NAME`, `password: file:/path`."],
            id="a password in the URL",
        ),
        pytest.param(
            "{format: jdbc, url: 'jdbc:postgresql://h/shop?ssl=true&PassWord=x', table: t}",
            ["2:31: the URL holds a user or password. Say where they are: `user: env:NAME`, `password: file:/path`."],
            id="a password behind the URL",
        ),
        *(
            pytest.param(
                f"{{format: jdbc, url: '{url}', table: t}}",
                [f"2:31: the URL holds a user or password. {SAY_WHERE}"],
                id=url,
            )
            for url in (
                "jdbc:oracle:thin:scott/tiger@//db:1521/shop",
                "jdbc:mysql://ada:p/w@h/shop",
                "jdbc:mysql://address=(host=h)(port=1)(user=ada)(password=s)/shop",
                "jdbc:postgresql://h/shop?sslpassword=s",
                "jdbc:sqlserver://h;databaseName=shop;trustStorePassword=s",
                "jdbc:snowflake://h/?passcode=1",
                "jdbc:databricks://h:443;accessToken=abc",
            )
        ),
        *(
            pytest.param(f"{{format: jdbc, url: '{url}', table: t}}", [], id=url)
            for url in (
                "jdbc:oracle:thin:@//db:1521/shop",
                "jdbc:mysql://h/shop?passwordCharacterEncoding=utf8&useSSL=true",
                "jdbc:postgresql://h/shop?ssl=true&sslkey=/etc/key.pk8",
            )
        ),
        pytest.param(
            "{path: people.csv, format: csv, options: {fs.s3a.secret.key: x}}",
            [
                "2:53: `fs.s3a.secret.key` is a secret: what stands here is kept with each run. Let the environment"
                " tell Spark, or a credentials file, or a profile in conf/spark."
            ],
            id="a secret among the options",
        ),
        pytest.param(
            f"{{format: jdbc, {SHOP}, partition_column: id, partitions: 4}}",
            ["2:74: `partition_column` needs `lower_bound`, `upper_bound` beside it."],
            id="half a partitioning",
        ),
        pytest.param(
            f"{{format: jdbc, {SHOP}, options: {{dbtable: x, Fetchsize: 1}}}}",
            [
                "2:84: `dbtable` is not yours to set: there are the keys `table` and `query`.",
                "2:96: `Fetchsize` is not yours to set: there is the key `fetch_size`.",
            ],
            id="options of Spark that are ours",
        ),
        pytest.param(f"{{format: jdbc, {SHOP}, bookmark: true}}", [f"2:74: {GROWS}"], id="a bookmark without keys"),
        pytest.param(
            f"{{format: jdbc, {SHOP}, bookmark: true, bookmark_keys: [a, b, a]}}",
            ["2:105: `a` stands here twice."],
            id="a key twice",
        ),
        pytest.param(
            f"{{format: jdbc, {SHOP}, bookmark_keys: [a]}}",
            ["2:74: `bookmark_keys` says nothing without `bookmark: true`."],
            id="keys without a bookmark",
        ),
        pytest.param(
            "{path: people.csv, format: csv, max_files: 10, changed_files: report}",
            [
                "2:43: `max_files` says nothing without `bookmark: true`.",
                "2:58: `changed_files` says nothing without `bookmark: true`.",
            ],
            id="limits without a bookmark",
        ),
        pytest.param(
            f"{{format: jdbc, {SHOP}, user: ada, password: 4711}}",
            [
                "2:80: `user` has to be a place, `env:VARIABLE` or `file:/path`.",
                "2:95: `password` has to be a place, `env:VARIABLE` or `file:/path`.",
            ],
            id="a password that stands in the config is not repeated",
        ),
        pytest.param(
            f"{{format: jdbc, {SHOP}, user: ada, password: hunter2}}",
            [
                "2:80: `user` has to be a place, `env:VARIABLE` or `file:/path`.",
                "2:95: `password` has to be a place, `env:VARIABLE` or `file:/path`.",
            ],
            id="a password that stands in the config is not repeated, as a text",
        ),
        pytest.param(
            "{path: people.csv, format: csv, bokmark: true, max_files: 1, changed_files: report}",
            ["2:43: there is no key `bokmark` here. Did you mean `bookmark`?"],
            id="limits beside a bookmark that is misspelt",
        ),
        pytest.param(
            "{path: people.csv, format: csv, bookmark: 1, max_files: 1}",
            ["2:53: `bookmark` has to be true or false, not `1` (in quotes it would be a text)."],
            id="limits beside a bookmark that is neither",
        ),
        pytest.param(
            "{path: people.csv, format: delta, bookmark: true, max_bytes: 1g}",
            [f"2:61: `max_bytes` is for a bookmark of {FILES}, not of a Delta table."],
            id="a limit of files on Delta",
        ),
        pytest.param(
            "{path: people.csv, format: csv, bookmark: true, bookmark_by: changes}",
            [f"2:59: `bookmark_by` is for a bookmark of a Delta table, not of {FILES}."],
            id="changes of files",
        ),
        pytest.param(
            "{path: [people.csv, towns.csv], format: delta, bookmark: true, options: {versionAsOf: 3}}",
            [
                "2:18: a bookmark of a Delta table takes one path.",
                "2:84: `versionAsOf` says which versions are read, and so does the bookmark.",
            ],
            id="a Delta table, pinned",
        ),
        pytest.param(
            "{path: people.csv, format: csv, bookmark: true, max_files: 0}",
            ["2:70: `max_files` has to be at least 1."],
            id="no files at all",
        ),
    ],
)
def test_a_mistake_in_an_input_is_said_with_its_place(config, text, expected):
    found = complaints(config(f"inputs:\n  people: {text}\ntables: {{}}\noutputs: {{}}"))
    assert [each for each in found if each.startswith("2:")] == expected


def test_a_bookmarked_input_does_not_feed_an_overwritten_output(config):
    path = config(
        """
        inputs:
          people: {path: people.csv, format: csv, bookmark: true}
          towns: {path: towns.csv, format: csv}
        tables:
          a: {from: people}
          b: {sql: SELECT * FROM a JOIN towns}
          c: {from: towns}
        outputs:
          b: {path: out/b, format: delta}
          people: {path: out/people, format: delta, mode: overwrite}
          c: {path: out/c, format: delta}
          a: {path: out/a, format: delta, mode: append}
        """
    )
    why = (
        ", but of its input `people` a run reads only what is new (`bookmark: true`): what earlier runs wrote would be"
        " gone. Take `mode: append`, or for Delta `mode: merge` with `keys`, or no bookmark."
    )
    assert complaints(path) == [
        f"9:3: the output is overwritten, as outputs are by default{why}",
        f"10:51: the output is overwritten{why}",
    ]


REPLACED = """
inputs:
  people: {path: people.csv, format: csv, bookmark: true%s}
outputs:
  people: {path: out, format: delta, %s}
"""
NEW = "but of its input `people` a run reads only what is new (`bookmark: true`)"
INSTEAD = "Take `mode: append`, or for Delta `mode: merge` with `keys`, or no bookmark"


@pytest.mark.parametrize(
    ("limit", "output", "expected"),
    [
        pytest.param(
            "",
            "mode: overwrite_partitions, partition_by: [town]",
            f"4:44: the output replaces partitions, {NEW}: where a partition's rows come in several runs, those that"
            f" earlier runs wrote would be gone. {INSTEAD}, or `partitions_arrive_whole: true` if each comes in one"
            " run.",
            id="partitions",
        ),
        pytest.param(
            "",
            "mode: overwrite, replace_where: age > 3",
            f"4:44: the output is overwritten, {NEW}: what earlier runs wrote where `age > 3` is true would be gone."
            f" {INSTEAD}.",
            id="a condition",
        ),
        pytest.param(
            ", max_bytes: 1g",
            "mode: overwrite_partitions, partition_by: [town], partitions_arrive_whole: true",
            "4:44: `partitions_arrive_whole` cannot hold, for the input `people` has `max_bytes`: the rows of a"
            " partition may come in several runs, of which the last would replace the others. Leave out one of the"
            " two.",
            id="partitions that a limit may part",
        ),
        pytest.param(
            "",
            "mode: append, partitions_arrive_whole: true",
            "4:52: `partitions_arrive_whole` is for `mode: overwrite_partitions`, not for `append`.",
            id="a promise that nobody asked for",
        ),
    ],
)
def test_a_bookmarked_input_replaces_no_rows_of_earlier_runs(config, limit, output, expected):
    assert complaints(config(REPLACED % (limit, output))) == [expected]


def test_a_bookmarked_input_replaces_partitions_of_which_the_user_says_that_they_arrive_whole(config):
    output = "mode: overwrite_partitions, partition_by: [town], partitions_arrive_whole: true"
    (written,) = load(config(REPLACED % ("", output))).job.outputs.values()
    assert written.partitions_arrive_whole


def test_partitions_that_no_bookmarked_input_feeds_are_replaced_without_a_word_about_them(config):
    path = config(REPLACED % ("", "mode: overwrite_partitions, partition_by: [town]"))
    assert load(path, ["inputs.people.bookmark=false"]).job.outputs["people"].mode == "overwrite_partitions"


def test_a_bookmarked_input_that_no_output_is_made_of_is_refused(config):
    path = config(
        """
        inputs:
          people: {path: people.csv, format: csv, bookmark: true}
          towns: {path: towns.csv, format: csv}
        tables:
          old: {from: people, steps: [{drop_fields: {paths: [id]}}]}
        outputs:
          towns: {path: out, format: parquet, mode: append}
        """
    )
    (found,) = complaints(path)
    assert found.endswith("no output is made of `people`: what is new would count as read, and its rows be nowhere.")
    assert load(path, ["inputs.people.bookmark=false"]).job.inputs["people"].bookmark is False
