"""Rules on a job's tables: what breaks them is counted, rejected, or stops the run, in the pass that writes."""

from hashlib import blake2b
from uuid import uuid4

import duckdb
import pytest
from pyspark.sql import functions as F

from birchtar.runner import tables
from birchtar.runner.failures import JobError
from birchtar.runner.load import load
from birchtar.runner.problems import ConfigError, Place
from birchtar.runner.rules import PlannedRule, checked, judge, rule_name
from birchtar.state.database import open_state
from birchtar.state.quarantine import list_rejects
from transforms.rules.key_rules import foreign_key

HEAD = """
inputs:
  people: {path: people.csv, format: csv, schema: {name: STRING, town: INT, age: INT}}
  towns: {path: towns.csv, format: csv, schema: {id: INT, town: STRING}}
tables:
  checked:
    from: people
    rules:
      - %s
outputs: {checked: {path: out, format: parquet}}
"""


def job(*rules):
    return HEAD % "\n      - ".join(rules)


def written():
    return [row[0] for row in duckdb.sql("SELECT name FROM 'out/*.parquet' ORDER BY name").fetchall()]


def quarantined():
    query = (
        "SELECT \"table\", step, rule, code, message, record FROM 'data/quarantine/job/*.parquet' ORDER BY rule, record"
    )
    return duckdb.sql(query).fetchall()


@pytest.fixture(autouse=True)
def people(place):
    """A town that is not there, a missing age, two of one name."""
    (place / "people.csv").write_text("name,town,age\nAda,1,36\nBob,2,41\nCy,9,7\nDee,,\nBob,1,50\n")


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        pytest.param("{not_null: age, action: reject}", ["Ada", "Bob", "Bob", "Cy"], id="not_null"),
        pytest.param("{not_null: [age, town], action: reject}", ["Ada", "Bob", "Bob", "Cy"], id="several columns"),
        pytest.param("{unique: name, action: reject}", ["Ada", "Cy", "Dee"], id="unique rejects all of a key"),
        pytest.param("{unique: town, action: reject}", ["Bob", "Cy", "Dee"], id="nulls are unique"),
        pytest.param("{in: {column: town, values: [1, 2]}, action: reject}", ["Ada", "Bob", "Bob", "Dee"], id="in"),
        pytest.param(
            "{between: {column: age, lowest: 18, highest: 41}, action: reject}", ["Ada", "Bob", "Dee"], id="between"
        ),
        pytest.param(
            "{matches: {column: name, pattern: '[A-C].*'}, action: reject}", ["Ada", "Bob", "Bob", "Cy"], id="matches"
        ),
        pytest.param("{matches: {column: name, pattern: o}, action: reject}", [], id="matches whole texts"),
        pytest.param("{expression: 'age < town * 25', action: reject}", ["Bob", "Cy", "Dee"], id="expression"),
        pytest.param(
            "{foreign_key: {columns: town, other: towns, other_columns: id}, action: reject}",
            ["Ada", "Bob", "Bob", "Dee"],
            id="foreign key",
        ),
        pytest.param(
            "{foreign_key: {columns: [town, name], other: towns, other_columns: [id, town]}, action: reject}",
            ["Dee"],
            id="foreign key of several columns",
        ),
        pytest.param("{mine.rules:short_name: {most: 2}, action: reject}", ["Cy"], id="a rule of one's own"),
    ],
)
def test_rows_that_break_a_rule_go_to_the_quarantine_and_the_others_on(run_job, place, rule, kept):
    (place / "mine").mkdir()
    (place / "mine" / "rules.py").write_text(
        "from pyspark.sql import functions as F\n\n"
        "def short_name(df, most: int):\n    return F.length('name') <= most\n"
    )
    report = run_job(job(rule))
    assert written() == kept
    gone = 5 - len(kept)
    assert [found.rows for found in report.rejects] == [gone]
    assert {row[:2] for row in quarantined()} == {("checked", "rules")}
    assert [(found.broken, found.rows) for found in report.rules] == [(gone, 5)]


def test_a_rejected_row_says_which_rule_it_broke_first_and_keeps_its_values(run_job):
    run_job(
        job("{name: grown up, between: {column: age, lowest: 18}, action: reject}", "{unique: name, action: reject}")
    )
    assert quarantined() == [
        (
            "checked",
            "rules",
            "grown up",
            "RULE",
            'The row breaks the rule "grown up".',
            '{"name":"Cy","town":9,"age":7}',
        ),
        (
            "checked",
            "rules",
            "unique name",
            "RULE",
            'The row breaks the rule "unique name".',
            '{"name":"Bob","town":1,"age":50}',
        ),
        (
            "checked",
            "rules",
            "unique name",
            "RULE",
            'The row breaks the rule "unique name".',
            '{"name":"Bob","town":2,"age":41}',
        ),
    ]


def test_a_broken_rule_that_says_fail_stops_the_run_before_anything_is_published(run_job, place):
    told = (
        r"checked: 1 of 5 rows break the rule \"not_null age\", such as \{\"name\":\"Dee\",\"town\":null,\"age\":null\}"
    )
    with pytest.raises(JobError, match=rf"job\.yaml:8:10: table {told}\nNothing was published"):
        run_job(job("{not_null: age}", "{unique: town, action: warn}"))
    assert not (place / "out").exists()
    assert files_in(place / "data") == []


def test_a_broken_rule_that_says_warn_is_told(run_job):
    report = run_job(job("{not_null: age, action: warn}"))
    assert written() == ["Ada", "Bob", "Bob", "Cy", "Dee"]
    assert [(found.rule, found.holds, found.broken) for found in report.rules] == [("not_null age", False, 1)]


@pytest.mark.parametrize(
    ("rule", "holds", "name"),
    [
        pytest.param("{row_count: 5, action: warn}", True, "row_count 5", id="enough"),
        pytest.param("{row_count: {least: 6}, action: warn}", False, "row_count least: 6", id="too few"),
        pytest.param(
            "{row_count: {least: 1, most: 4}, action: warn}", False, "row_count least: 1, most: 4", id="too many"
        ),
    ],
)
def test_a_table_is_held_to_its_number_of_rows(run_job, rule, holds, name):
    (report,) = run_job(job(rule)).rules
    assert (report.rule, report.holds, report.found) == (name, holds, "5 rows")


def test_a_stale_table_is_told(run_job):
    text = job("{freshness: {column: day, max_age: 2 days}, action: warn}").replace(
        "from: people\n", "from: people\n    steps: [sql: \"SELECT *, DATE'2013-01-01' AS day FROM checked\"]\n"
    )
    (report,) = run_job(text).rules
    assert (report.holds, report.found) == (False, "newest is 2013-01-01 00:00:00")


def test_all_rules_together_read_the_source_once(run_job, spark, place):
    rows = [f"N{n},{n % 3},{n % 90}" for n in range(5000)]
    (place / "people.csv").write_text("name,town,age\n" + "\n".join(rows) + "\nN7,,\n")
    run_job(
        job(
            "{not_null: [name, age], action: reject}",
            "{unique: name, action: reject}",
            "{in: {column: town, values: [1, 2]}, action: warn}",
            "{between: {column: age, lowest: 0, highest: 200}}",
            "{matches: {column: name, pattern: '[A-Z].*'}}",
            "{expression: age > 7, action: reject}",
            "{row_count: 1}",
        ).replace("checked", "read_once")
    )
    # Beside each row once, the line of the header, for its names, and the rejected rows, to be counted by reason.
    rejected = 5001 - len(written())
    assert rejected == 449  # 448 with an age of at most 7, one of whose names comes again, without an age
    assert 5001 <= rows_read(spark, "read_once") <= 5001 + rejected + 10


def rows_read(spark, output):
    """Return how many rows the run that wrote an output has read from files; Parquet footers do not count."""
    spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
    store = spark.sparkContext._jsc.sc().statusStore()
    found, none = store.jobsList(None), spark.sparkContext._gateway.new_array(spark._jvm.double, 0)
    jobs = [found.apply(n) for n in range(found.size())]
    # A run has a session of its own, by which Spark tags its jobs.
    [session] = {
        job.jobTags().mkString(",")[: len(f"spark-session-{uuid4()}")]
        for job in jobs
        if f"birchtar: {output}" in job.description().toString()
    }
    ours = {
        job.stageIds().apply(n)
        for job in jobs
        if session in job.jobTags().mkString(",")
        for n in range(job.stageIds().size())
    }
    stages = store.stageList(None, False, False, none, None)
    return sum(stage.inputRecords() for n in range(stages.size()) if (stage := stages.apply(n)).stageId() in ours)


@pytest.mark.parametrize(
    ("most", "stops"),
    [("1", True), ("2", False), ("39%", True), ("40%", False)],
)
def test_more_rejected_rows_than_allowed_stop_the_run(run_job, place, most, stops):
    text = (
        job("{unique: name, action: reject}").replace(", town: STRING}}", ", town: STRING}}", 1)
        + f"max_rejected: {most}\n"
    )
    text = text.replace("  towns: {path: towns.csv, format: csv, schema: {id: INT, town: STRING}}\n", "")
    if not stops:
        assert run_job(text).rejects[0].rows == 2
        return
    with pytest.raises(JobError) as stopped:
        run_job(text)
    assert str(stopped.value) in {
        f"2 of 5 rows were rejected, more than `max_rejected: {most}` allows: 2 RULE in checked, rules. Nothing was"
        " published, and these rows are not in the quarantine. Some of them:\n"
        'checked, rules, rule "unique name": RULE\n'
        '  The row breaks the rule "unique name".\n'
        f'  {{"name":"Bob","town":{town},"age":{age}}}'
        for town, age in ((2, 41), (1, 50))
    }
    assert not (place / "out").exists()
    assert files_in(place / "data") == []


def test_a_stopped_run_shows_rows_of_several_reasons_without_what_nobody_may_read(run_job, place):
    (place / "people.csv").write_text("name,town,age\nAda,1,36\nBob,2,41x\nCy,9,x7\nDee,1,2,3\nBob,1,50\n")
    text = job("{in: {column: town, values: [2]}, action: reject}") + "max_rejected: 3\n"
    text = text.replace("town: INT, age: INT}}", "town: INT, age: INT}, sensitive: [age]}")
    with pytest.raises(JobError) as stopped:
        run_job(text)
    said = str(stopped.value).splitlines()
    assert said[0].startswith("5 of 5 rows were rejected, more than `max_rejected: 3` allows: ")
    assert [line for line in said[1:] if not line.startswith("  ")] == [
        'checked, rules, rule "in town, values: 2": RULE',
        f"people, read: CAST  {place}/people.csv",
        f"people, read: MALFORMED  {place}/people.csv",
    ]
    assert not any(value in str(stopped.value) for value in ("36", "50", "41x", "x7"))


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("{not_nul: age}", "there is no rule `not_nul`. Did you mean `not_null`?"),
        ("{not_null: age, unique: name}", "a rule has one key that says what is asked, beside `action` and `name`"),
        ("{action: warn}", "here are none."),
        ("{not_null: age, action: drop}", "`action` cannot be `drop`. There are these actions: fail, reject, warn."),
        ("{row_count: 5, action: reject}", "no single row breaks `row_count`, so none can be rejected"),
        ("{between: {column: age, lowst: 1}}", "`between`: there is no key `lowst` here. Did you mean `lowest`?"),
        ("{foreign_key: {columns: town, other: town}}", "there is no input or table `town`. Did you mean `towns`?"),
        ("{nowhere.at_all:rule: {}}", "there is no module `nowhere`"),
    ],
)
def test_a_rule_that_is_wrong_is_told_before_spark_starts(config, rule, told):
    with pytest.raises(ConfigError) as caught:
        load(config(job(rule)))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (
            "{not_null: agee}",
            "rule not_null agee of table checked: The rule `not_null`: There is no column `agee`. Did you mean `age`?",
        ),
        ("{matches: {column: name, pattern: '('}}", "'(' is no regular expression that Java can read"),
        ("{matches: {column: age, pattern: x}}", "The rule `matches` is for texts; `age` is of type int."),
        ("{expression: 'age +'}", "The rule `expression`"),
        (
            "{between: {column: age, lowest: soon}}",
            "`age` is of type int, and 'soon' is nothing that compares with it.",
        ),
        ("{freshness: {column: age, max_age: 1 day}}", "is for timestamps and dates; `age` is of type int"),
    ],
)
def test_a_rule_that_does_not_fit_its_table_is_told_with_its_place(run_job, rule, told):
    with pytest.raises(JobError) as caught:
        run_job(job(rule))
    assert "job.yaml:8:10: " in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("F.max('age') > 1", "GROUP BY"),
        ("F.col('name')", "gave a column of type string, not one that is true for a good row."),
        ("F.col('nme') == 'Ada'", "`nme`"),
        ("None", "gave NoneType, not a Column."),
    ],
)
def test_what_a_rule_of_ones_own_may_not_return_is_told_with_its_place(run_job, place, returned, told):
    package = f"own_{uuid4().hex}"
    (place / package).mkdir()
    (place / package / "odd.py").write_text(
        f"from pyspark.sql import functions as F\n\ndef rule(df):\n    return {returned}\n"
    )
    with pytest.raises(JobError, match=rf"job\.yaml:8:10: rule {package}.odd:rule") as caught:
        run_job(job(f"{{{package}.odd:rule: {{}}}}"))
    assert told in str(caught.value)


def files_in(folder):
    """Return the files below a folder, hidden ones too."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_each_of_many_rules_has_its_own_count(run_job):
    limits = range(5, 55, 4)
    rules = [f"{{between: {{column: age, lowest: {limit}}}, action: warn}}" for limit in limits]
    rules.insert(3, "{row_count: 1}")
    rules.append("{not_null: age, action: reject}")
    report = run_job(job(*rules))
    told = [found.broken for found in report.rules]
    assert told.pop(3) is None
    assert told == [*(sum(age < limit for age in (36, 41, 7, 50)) for limit in limits), 1]


def test_counts_of_rules_are_exact_however_many_tasks_count(spark, monkeypatch):
    monkeypatch.setattr("birchtar.runner.rules._TOGETHER", 3)
    df = spark.range(0, 6000, 1, 200)
    conditions = [F.expr("id % 10 <> 3"), F.expr("id % 10 <> 4"), F.expr("id % 5 <> 4"), F.expr("id % 7 <> 0")]
    rules = [PlannedRule(str(n), "expression", "warn", None, {}, Place("job.yaml", 1, 1)) for n in range(4)]
    check = checked("t", df, rules, conditions)
    check.marked.observe(check.counted, check.numbers).write.format("noop").mode("overwrite").save()
    assert [report.broken for report in judge([check], [])] == [600, 600, 1200, 858]


@pytest.mark.parametrize("columns", ["town", ["town", "age"]])
def test_a_foreign_key_is_looked_up_by_its_hash(spark, capsys, columns):
    df = spark.range(10).selectExpr("id AS town", "id AS age")
    other = spark.range(5, 20).selectExpr("id AS town", "id AS age")
    rule = PlannedRule("known", "foreign_key", "reject", foreign_key, {}, Place("job.yaml", 1, 1))
    marked = checked("t", df, [rule], [foreign_key(df, columns, other)]).marked
    marked.explain()
    plan = capsys.readouterr().out
    assert "BroadcastHashJoin" in plan
    assert "NestedLoop" not in plan
    assert marked.where("_error IS NULL").count() == 5


@pytest.mark.parametrize(("most", "longest"), [pytest.param(1, 10_000, id="many"), pytest.param(100, 40, id="long")])
def test_rejected_rows_that_a_driver_should_not_hold_are_computed_once_more(run_job, monkeypatch, most, longest):
    monkeypatch.setattr(tables, "MOST_REJECTS", most)
    monkeypatch.setattr(tables, "LONGEST_RECORD", longest)
    report = run_job(job("{between: {column: age, lowest: 18, highest: 41}, action: reject}"))
    assert written() == ["Ada", "Bob", "Dee"]
    assert [record for *_, record in quarantined()] == [
        '{"name":"Bob","town":1,"age":50}',
        '{"name":"Cy","town":9,"age":7}',
    ]
    assert sum(found.rows for found in report.rejects) == 2


@pytest.mark.usefixtures("each_state")
def test_a_rule_of_long_values_is_counted_like_any_other(run_job):
    values = ", ".join(["Ada", "Bob", "Dee", *(blake2b(bytes([n])).hexdigest() for n in range(40))])
    run_job(job(f"{{in: {{column: name, values: [{values}]}}, action: reject}}"))
    assert written() == ["Ada", "Bob", "Bob", "Dee"]
    ((_, step, rule, code, message, _),) = quarantined()
    assert (step, code, message) == ("rules", "RULE", f'The row breaks the rule "{rule}".')
    assert (len(rule), rule[:32]) == (120, "in name, values: Ada, Bob, Dee, ")
    assert [(each.rule, each.rows) for each in list_rejects(open_state())] == [(rule, 1)]


def test_long_rules_that_differ_only_at_their_end_have_short_names_that_differ():
    values = list(range(100_000_000, 100_000_300))
    one, other = (rule_name("in", {"column": "id", "values": [*values, last]}) for last in (1, 2))
    assert one[:111] == other[:111] == "in id, values: " + "".join(f"10000000{n}, " for n in range(8)) + "1000000…"
    assert len(one) == len(other) == 120
    assert one != other
    assert rule_name("in", {"column": "id", "values": [*values, 1]}) == one


def test_hundreds_of_values_may_be_allowed(run_job):
    values = [*range(1000, 1500), 1, 2]
    report = run_job(job(f"{{in: {{column: town, values: {values}}}, action: reject, name: known}}"))
    assert [(each.rule, each.rows) for each in report.rejects] == [("known", 1)]
