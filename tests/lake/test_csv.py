"""CSV: whose value is whose, which type it has, and that no line and no value goes lost on the way."""

import gzip
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from birchtar.lake.errors import LakeError, SchemaMismatchError
from birchtar.lake.read import read
from birchtar.lake.source import Source


@pytest.fixture
def csv(spark, stored):
    """Reads the given texts, each a file of its own."""

    def read_texts(*texts, schema=None, **settings):
        path = stored(**{f"{number}_csv": text for number, text in enumerate(texts)})
        return read(spark, Source(path=path, format="csv", schema=schema, **settings))

    return read_texts


def rows(df):
    """Return the rows without their errors; a test that expects none so shows that there is none."""
    assert df.where("_error IS NOT NULL").collect() == []
    return sorted(map(tuple, df.drop("_error").collect()), key=str)


def errors(df):
    return sorted(map(tuple, df.where("_error IS NOT NULL").select("_error.*").collect()), key=str)


def test_columns_are_found_by_their_name_in_the_header(csv):
    assert rows(csv("b,a\n1,x\n", schema="a STRING, b INT")) == [("x", 1)]


def test_columns_that_are_not_declared_are_left_out(csv):
    assert rows(csv("a,b,c\n1,2,3\n", schema="c INT")) == [(3,)]


def test_columns_that_are_declared_and_not_there(csv):
    with pytest.raises(SchemaMismatchError, match=r"stored: the schema names `c`, `A`, which .* They have: a, b\."):
        csv("a,b\n1,2\n", schema="a INT, c INT, A INT")


def test_columns_without_a_header_take_the_declared_names_in_order(csv):
    assert rows(csv("1,x\n2,y\n", schema="n INT, s STRING", header=False)) == [(1, "x"), (2, "y")]


def test_columns_without_a_header_and_fewer_than_declared(csv):
    with pytest.raises(SchemaMismatchError, match="the schema names `t`"):
        csv("1,x\n", schema="n INT, s STRING, t INT", header=False)


def test_columns_without_header_and_schema_are_numbered(csv):
    df = csv("1,x\n2,y\n", header=False)
    assert df.drop("_error").dtypes == [("_c0", "int"), ("_c1", "string")]
    assert rows(df) == [(1, "x"), (2, "y")]


@pytest.mark.parametrize("name", ["a.b", "a b", "a`b", "a-b", "é🙂", "a(b)", "`a`", "Name"])
def test_columns_keep_odd_names(csv, name):
    df = csv(f"{name},x\n1,2\n")
    assert df.columns == [name, "x", "_error"]
    assert rows(df) == [(1, 2)]


def test_columns_of_odd_names_can_be_declared(csv):
    df = csv("a.b,c d,e`f\n1,2,x\n", schema={"e`f": "int", "a.b": "int"})
    assert df.columns == ["e`f", "a.b", "_error"]
    [(code, message, record)] = errors(df)
    assert (code, record) == ("CAST", '{"a.b":"1","c d":"2","e`f":"x"}')
    assert message.endswith("0.csv: `e`f` is not an int: x")


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        pytest.param("a,b,", ["a", "b", "_c2"], id="a comma at the end"),
        pytest.param(",a,b", ["_c0", "a", "b"], id="an index without a name, as pandas and R write it"),
        pytest.param("a,a,b", ["a0", "a1", "b"], id="a name twice"),
        pytest.param("a,A,b", ["a0", "A1", "b"], id="names that differ in case only"),
        pytest.param("x0,x1,x2", ["x0", "x1", "x2"], id="names that look as if Spark had made them"),
    ],
)
def test_columns_without_a_name_of_their_own_get_one(csv, header, columns):
    df = csv(f"{header}\n1,2,3\n", f"{header}\n4,5,6\n")
    assert df.columns == [*columns, "_error"]
    assert rows(df) == [(1, 2, 3), (4, 5, 6)]


def test_columns_may_be_a_thousand(csv):
    header, numbers = ",".join(f"c{n}" for n in range(1000)), ",".join(map(str, range(1000)))
    texts = ",".join(["x"] * 1000)
    df = csv(f"{header}\n{numbers}\n{texts}\n1,2\n")
    assert df.dtypes[:-1] == [(f"c{n}", "string") for n in range(1000)]
    assert [row.code for row in df.select("_error.code").where("code IS NOT NULL").collect()] == ["MALFORMED"]


def test_columns_may_be_a_thousand_that_are_declared(csv):
    header, numbers = ",".join(f"c{n}" for n in range(1000)), ",".join(map(str, range(1000)))
    df = csv(f"{header}\n{numbers}\n", schema={f"c{n}": "int" for n in range(1000)})
    assert rows(df) == [tuple(range(1000))]


def test_columns_cannot_have_the_name_of_the_errors(csv):
    with pytest.raises(LakeError, match="stored: there is a column `_error`; .* Declare a schema without it"):
        csv("a,_Error\n1,x\n")


def test_columns_of_that_name_can_be_left_out(csv):
    assert rows(csv("a,_error\n1,x\n", schema="a INT")) == [(1,)]


@pytest.mark.parametrize("schema", [pytest.param("a INT, b INT", id="declared"), pytest.param(None, id="inferred")])
@pytest.mark.parametrize("other", ["b,a\n3,4\n", "a,b,c\n3,4,5\n", "a\n3\n", "3,4\n"])
def test_headers_that_differ_stop_the_read(csv, schema, other):
    with pytest.raises(Exception, match=r"(?s)CSV header.*[Ss]chema.*CSV file: file:.*/stored/[01]\.csv"):
        csv("a,b\n1,2\n", other, schema=schema).collect()


def test_headers_that_differ_and_hold_made_up_names(csv):
    with pytest.raises(SchemaMismatchError, match=r"/stored/[01]\.csv does not have the same header as the other"):
        csv("a,b,\n1,2,3\n", "b,a,\n4,5,6\n")


def test_headers_that_differ_in_case_only_are_the_same(csv):
    assert rows(csv("a,b\n1,2\n", "A,b\n3,4\n")) == [(1, 2), (3, 4)]


@pytest.mark.parametrize("encoding", ["UTF-16", "utf-16le", "UTF-32"])
def test_encodings_of_several_bytes_a_sign_end_lines_where_they_end(spark, tmp_path, encoding):
    (tmp_path / "a.csv").write_text("n,s\n1,é\n2,ok\n", encoding=encoding)
    options = {"encoding": encoding}
    assert rows(read(spark, Source(path=str(tmp_path), format="csv", options=options))) == [(1, "é"), (2, "ok")]


def test_headers_in_another_encoding_are_told_of(spark, tmp_path):
    (tmp_path / "a.csv").write_bytes(b"n,caf\xe9\n1,x\n")
    with pytest.raises(LakeError, match="the header holds bytes that are not UTF-8"):
        read(spark, Source(path=str(tmp_path), format="csv"))


def test_headers_alone_make_an_empty_frame(csv):
    df = csv("a,b\n")
    assert df.dtypes[:-1] == [("a", "string"), ("b", "string")]
    assert df.collect() == []


def test_headers_alone_make_an_empty_frame_of_the_declared_types(csv):
    df = csv("b,a\n", schema="a INT, b DATE")
    assert df.dtypes[:-1] == [("a", "int"), ("b", "date")]
    assert df.collect() == []


def test_headers_may_begin_with_a_byte_order_mark_and_end_like_on_windows(csv):
    assert rows(csv(b"\xef\xbb\xbfa,b\r\n1,2\r\n")) == [(1, 2)]


def test_empty_files_cannot_say_which_columns_they_have(csv):
    with pytest.raises(LakeError, match="stored: there is no line to take the columns from. Declare a schema."):
        csv("", "")


@pytest.mark.parametrize("header", [True, False])
def test_empty_files_have_no_rows_of_the_declared_types(csv, header):
    df = csv("", schema="a INT, b DATE", header=header)
    assert df.dtypes[:-1] == [("a", "int"), ("b", "date")]
    assert df.collect() == []


def test_empty_files_do_not_disturb_the_others(csv):
    assert rows(csv("", "a,b\n1,2\n", "")) == [(1, 2)]


NULLS = 'id,s\n1,\n2,""\n3,NA\n4,-\n5,"NA"\n6, \n7,null\n'


@pytest.mark.parametrize(
    ("null_values", "expected"),
    [
        pytest.param([], [None, None, "NA", "-", "NA", " ", "null"], id="none but the empty text"),
        pytest.param(["NA"], [None, None, None, "-", None, " ", "null"], id="one more"),
        pytest.param(["NA", "-"], [None, None, None, None, None, " ", "null"], id="several"),
    ],
)
def test_nulls_are_the_listed_texts_and_the_empty_one(csv, null_values, expected):
    df = csv(NULLS, null_values=null_values)
    assert rows(df) == list(enumerate(expected, start=1))


@pytest.mark.parametrize("null_values", [["NA"], ["NA", "-"]])
def test_nulls_do_not_hinder_a_type(csv, null_values):
    assert rows(csv("n,d\n1,NA\nNA,2024-01-31\n", null_values=null_values)) == [
        (1, None),
        (None, date(2024, 1, 31)),
    ]


@pytest.mark.parametrize("null_values", [[], ["NA"], ["NA", "-"]])
def test_nulls_are_no_misfits(csv, null_values):
    assert rows(csv('n,m\n,""\n', schema="n INT, m DATE", null_values=null_values)) == [(None, None)]


def test_quotes_hold_commas_and_doubled_quotes_as_rfc_4180_says(csv):
    text = 'id,s\n1,"x, y"\n2,"say ""hi"""\n3,"a ""b"", c"\n4,""""\n5,"C:\\"\n6,5" tall\n7, "x" \n'
    assert [s for _, s in rows(csv(text))] == ["x, y", 'say "hi"', 'a "b", c', '"', "C:\\", '5" tall', ' "x" ']


def test_quotes_hold_line_breaks_where_files_are_said_to_have_them(csv):
    assert rows(csv('id,s\n1,"two\nlines"\n2,x\n', options={"multiLine": True})) == [(1, "two\nlines"), (2, "x")]


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        pytest.param('id,s\n1,"a\n2,b\n\n3,"c\nd"\n', [("2", "b"), ("3", "c\nd")], ['1,"a'], id="to a quote behind it"),
        pytest.param('\ufeffid,s\r\n1,b\r\n2,"a""\r\n3,c', [("1", "b"), ("3", "c")], ['2,"a""'], id="to the end"),
        pytest.param('id,s\n1,"5" pipe"\n2,"\n', [("1", '"5" pipe"')], ['2,"'], id="a quote inside is no end"),
        pytest.param('id,s\n1,"a\nb"\n2,"c,d\n', [("1", "a\nb")], ['2,"c,d'], id="with a comma"),
    ],
)
def test_a_quote_that_is_not_closed_costs_its_line_only(csv, text, good, bad):
    df = csv(text, schema="id STRING, s STRING", options={"multiLine": True})
    assert sorted(map(tuple, df.where("_error IS NULL").select("id", "s").collect())) == good
    assert [record for _, _, record in errors(df)] == bad
    assert errors(df)[0][1].endswith("/stored/0.csv: A quote is opened in the line, and not closed.")


def test_a_quote_that_is_not_closed_may_be_of_a_value_that_spans_lines(csv):
    df = csv('id,s,t\n1,"a\nb",c\n', schema="id INT, s STRING, t STRING")
    (first, _) = errors(df)
    assert first[1].endswith("not closed. If values span lines, set `options: {multiLine: true}`.")


def test_quotes_of_another_kind_are_an_option(csv):
    text = "a;b\n1;'x; y'\n2;'it\\'s'\n"
    assert rows(csv(text, options={"sep": ";", "quote": "'", "escape": "\\"})) == [(1, "x; y"), (2, "it's")]


@pytest.mark.parametrize(
    ("texts", "kind", "values"),
    [
        pytest.param(["1", "-2", "+3"], "int", [1, -2, 3], id="whole numbers"),
        pytest.param(["1", "2147483648"], "bigint", [1, 2147483648], id="beyond 32 bits"),
        pytest.param(
            ["1", "9223372036854775808"],
            "decimal(38,0)",
            [Decimal(1), Decimal("9223372036854775808")],
            id="beyond 64 bits, to the last digit",
        ),
        pytest.param(["1" * 39], "string", ["1" * 39], id="beyond any whole number"),
        pytest.param(["1", "2.5", "-.5", "5."], "double", [1.0, 2.5, -0.5, 5.0], id="whole and broken numbers"),
        pytest.param(["1e5", "2E-1"], "double", [100000.0, 0.2], id="numbers with an exponent"),
        pytest.param(["007", "10"], "int", [7, 10], id="zeros before a number, which go, as with Spark itself"),
        pytest.param(
            ["2024-02-29", "0001-01-01"], "date", [date(2024, 2, 29), date(1, 1, 1)], id="dates, written in full"
        ),
        pytest.param(
            ["2024-01-31 10:00:00", "2024-01-31T10:00:00Z", "2024-01-31 10:00:00.5+02:00"],
            "timestamp",
            ["2024-01-31 10:00:00", "2024-01-31 10:00:00", "2024-01-31 08:00:00.5"],
            id="timestamps, in UTC where they do not say otherwise",
        ),
        pytest.param(["true", "FALSE", "True"], "boolean", [True, False, True], id="true and false"),
        pytest.param([" 5 ", "6"], "string", [" 5 ", "6"], id="a number in spaces"),
        pytest.param(["NaN", "1.5"], "string", ["NaN", "1.5"], id="not a number"),
        pytest.param(["Infinity"], "string", ["Infinity"], id="infinity"),
        pytest.param(["1e400", "2"], "string", ["1e400", "2"], id="a number that no type holds"),
        pytest.param(["9" * 39, "2.5"], "string", ["9" * 39, "2.5"], id="beyond any whole number, and a fraction"),
        pytest.param(["1e3", "-5.", ".5"], "double", [1000.0, -5.0, 0.5], id="fractions in all shapes"),
        pytest.param(["1,5"], "string", ["1,5"], id="a decimal comma"),
        pytest.param(["5d", "5f"], "string", ["5d", "5f"], id="a number as Java would write it"),
        pytest.param(["0x10"], "string", ["0x10"], id="another base"),
        pytest.param(["1_000"], "string", ["1_000"], id="a number as Python would write it"),
        pytest.param(["2024", "2024-01"], "string", ["2024", "2024-01"], id="parts of a date"),
        pytest.param(["2024-02-30"], "string", ["2024-02-30"], id="a day that is not in the calendar"),
        pytest.param(["2024-01-31 25:00:00"], "string", ["2024-01-31 25:00:00"], id="an hour that is not"),
        pytest.param(
            ["2024-01-31", "2024-01-31 10:00:00"], "string", ["2024-01-31", "2024-01-31 10:00:00"], id="both kinds"
        ),
        pytest.param(["yes", "no"], "string", ["yes", "no"], id="yes and no"),
        pytest.param(["true", "1"], "string", ["true", "1"], id="truth and number"),
        pytest.param(["1", "x"], "string", ["1", "x"], id="number and text"),
        pytest.param([], "string", [], id="nothing at all"),
    ],
)
def test_inferred_types_are_the_narrowest_that_fit_every_row(csv, texts, kind, values):
    df = csv("id,v\n" + "".join(f'{n},"{text}"\n' for n, text in enumerate(texts)) + "99,\n")
    assert df.schema["v"].dataType.simpleString() == kind
    if kind == "timestamp":
        df = df.withColumn("v", df["v"].cast("string"))
    assert rows(df) == [*enumerate(values), (99, None)]


def test_inferred_types_of_all_columns_are_found_in_all_files(csv):
    df = csv("a,b,c\n1,1,\n", "a,b,c\n2,x,2024-01-01\n", "a,b,c\n2.5,,\n")
    assert df.dtypes[:-1] == [("a", "double"), ("b", "string"), ("c", "date")]


def test_inferred_types_do_not_heed_lines_that_are_rejected(csv):
    df = csv("a,b\n1,2\nx\n3,y,z\n")
    assert df.dtypes[:-1] == [("a", "int"), ("b", "int")]
    assert [record for _, _, record in errors(df)] == ["3,y,z", "x"]


def test_inferred_types_follow_the_options_for_dates(csv):
    options = {"dateFormat": "dd/MM/yyyy", "TIMESTAMPFORMAT": "dd/MM/yyyy HH:mm"}
    df = csv("d,t,s\n31/01/2024,31/01/2024 10:11,31/13/2024\n", options=options)
    assert df.dtypes[:-1] == [("d", "date"), ("t", "timestamp"), ("s", "string")]
    assert df.selectExpr("d", "CAST(t AS STRING)").collect() == [(date(2024, 1, 31), "2024-01-31 10:11:00")]


@pytest.mark.parametrize(
    ("kind", "good", "expected", "bad"),
    [
        pytest.param("INT", ["1", " 2 ", "+3"], [1, 2, 3], ["x", "1.5", "3000000000", "1e2", "1_0"], id="int"),
        pytest.param("DOUBLE", ["1", "NaN", "1e2"], [1.0, float("nan"), 100.0], ["1,5", "x"], id="double"),
        pytest.param(
            "DECIMAL(5,2)",
            ["1.25", "999.99", "1.0000"],
            [Decimal("1.25"), Decimal("999.99"), Decimal("1.00")],
            ["1000", "1.005", "x"],
            id="decimal: more digits do not fit",
        ),
        pytest.param("BOOLEAN", ["yes", "0"], [True, False], ["maybe", "2"], id="boolean"),
        pytest.param(
            "DATE",
            ["2024-02-29", "2024"],
            [date(2024, 2, 29), date(2024, 1, 1)],
            ["2024-02-30", "1/1/24"],
            id="date",
        ),
        pytest.param("STRING", ["1", "x", " "], ["1", "x", " "], [], id="string"),
        pytest.param("BINARY", ["x"], [b"x"], [], id="binary"),
    ],
)
def test_declared_types_take_what_they_can_and_reject_the_rest(csv, kind, good, expected, bad):
    lines = [f'{n},"{text}"' for n, text in enumerate([*good, *bad])]
    df = csv("id,v\n" + "\n".join(lines) + "\n", schema=f"id INT, v {kind}")
    accepted = df.where("_error IS NULL").orderBy("id").select("v").collect()
    assert str([row.v for row in accepted]) == str(expected)
    rejected = df.where("_error IS NOT NULL").orderBy("id").collect()
    name = kind.lower()
    article = "an" if name == "int" else "a"
    for n, (text, row) in enumerate(zip(bad, rejected, strict=True), start=len(good)):
        assert (row.id, row.v, row._error.code) == (n, None, "CAST")
        assert row._error.message.endswith(f"/stored/0.csv: `v` is not {article} {name}: {text}")
        assert row._error.record == f'{{"id":"{n}","v":"{text}"}}'


def test_declared_types_name_every_misfit_of_a_row(csv):
    [(code, message, record)] = errors(csv("a,b,c\nx,2024-13-01,z\n", schema="a INT, b DATE, c STRING"))
    assert code == "CAST"
    assert message.endswith("`a` is not an int: x; `b` is not a date: 2024-13-01")
    assert record == '{"a":"x","b":"2024-13-01","c":"z"}'


def test_declared_types_name_the_file_as_the_user_wrote_it(spark, tmp_path):
    folder = tmp_path / "a b+c%20é"
    folder.mkdir()
    (folder / "x y.csv").write_text("a\nx\n")
    [(_, message, _)] = errors(read(spark, Source(path=str(folder), format="csv", schema="a INT")))
    assert message == f"In {folder}/x y.csv: `a` is not an int: x"


def test_declared_types_follow_the_options_for_dates(csv):
    options = {"dateFormat": "dd.MM.yyyy", "timestampFormat": "dd.MM.yyyy HH:mm"}
    text = "d,t\n31.01.2024,31.01.2024 10:11\n2024-01-31,2024-01-31 10:11\n"
    df = csv(text, schema="d DATE, t TIMESTAMP", options=options)
    good = df.where("_error IS NULL").selectExpr("d", "CAST(t AS STRING)").collect()
    assert good == [(date(2024, 1, 31), "2024-01-31 10:11:00")]
    [(_, message, _)] = errors(df)
    assert message.endswith("`d` is not a date: 2024-01-31; `t` is not a timestamp: 2024-01-31 10:11")


def test_declared_types_of_time_are_utc(csv):
    [(at,)] = rows(csv("t\n2024-07-01 10:00:00\n", schema="t TIMESTAMP"))
    assert at.astimezone(UTC) == datetime(2024, 7, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("schema", [pytest.param("a INT, b INT", id="declared"), pytest.param(None, id="inferred")])
def test_broken_lines_are_kept_whole_between_the_good_ones(csv, schema):
    df = csv("a,b\n1,2\n1,2,3\n\n5\n6,7\n", schema=schema)
    assert sorted(map(tuple, df.where("_error IS NULL").select("a", "b").collect())) == [(1, 2), (6, 7)]
    found = errors(df)
    assert [(code, record) for code, _, record in found] == [("MALFORMED", "1,2,3"), ("MALFORMED", "5")]
    assert all(message.endswith("/stored/0.csv: The line does not have 2 values.") for _, message, _ in found)


def test_broken_lines_are_broken_first_and_misfits_second(csv):
    assert [(code, record) for code, _, record in errors(csv("a,b\nx\n", schema="a INT, b INT"))] == [
        ("MALFORMED", "x")
    ]


def test_broken_lines_are_broken_also_in_columns_that_nobody_asked_for(csv):
    df = csv("a,b\n1,2\n3\n", schema="a INT")
    assert df.where("_error IS NULL").select("a").collect() == [(1,)]
    assert df.where("_error IS NOT NULL").count() == 1


@pytest.mark.parametrize("schema", ["a STRING, b STRING", "a INT, b INT", None])
def test_broken_lines_can_be_counted_and_asked_for_alone(csv, schema):
    """Spark itself refuses a query that needs nothing but the broken lines."""
    df = csv("a,b\n1,2\n3\n", schema=schema)
    assert df.where("_error IS NOT NULL").count() == 1
    assert df.where("_error IS NOT NULL").select("_error.code").collect() == [("MALFORMED",)]
    assert df.count() == 2


def test_files_may_be_packed(spark, tmp_path):
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"a,b\n1,x\n"))
    assert rows(read(spark, Source(path=str(tmp_path / "x.csv.gz"), format="csv"))) == [(1, "x")]


def test_files_may_be_several_by_list_and_glob(spark, stored):
    folder = stored(a1_csv="n\n1\n", a2_csv="n\n2\n", b_csv="n\n3\n", c_csv="n\n4\n")
    source = Source(path=[f"{folder}/a*.csv", f"{folder}/b.csv"], format="csv")
    assert rows(read(spark, source)) == [(1,), (2,), (3,)]


def test_what_a_sample_does_not_show_is_rejected_with_its_text(csv):
    lines = "".join(f"{number},x\n" for number in range(200))
    df = csv(f"a,b\n{lines}7\ntext,y\n", sampling_ratio=0.02)
    assert df.where("_error IS NULL").count() == 200
    told = df.where("_error IS NOT NULL").select("_error.code", "_error.record").collect()
    assert sorted(map(tuple, told)) == [("CAST", '{"a":"text","b":"y"}'), ("MALFORMED", "7")]


@pytest.mark.parametrize("more", [{}, {"multiLine": True}])
def test_a_quote_of_another_sign_is_doubled_inside_quotes(spark, tmp_path, more):
    (tmp_path / "a.csv").write_text("id,word\n1,'it''s'\n2,'a,b'\n3,say \"x\"\n")
    df = read(spark, Source(path=str(tmp_path), format="csv", options={"quote": "'"} | more))
    assert sorted((row.id, row.word, row._error) for row in df.collect()) == [
        (1, "it's", None),
        (2, "a,b", None),
        (3, 'say "x"', None),
    ]


EXACT = [
    ("DECIMAL(5,2)", ["1.23", "-1.2300", ".5", "1e2", "12.5e-1", "123"], ["1.239", "1e-9", "0.1e-2", "1234"]),
    ("DECIMAL(38,0)", ["7", "7.0"], ["7.5", "1e-1"]),
    ("DATE", ["2024-01-02", "2024-1-2", " 2024-01-02 ", "2024-01-02 00:00:00", "2024-01-02T00:00:00.000Z"], []),
    ("DATE", [], ["2024-01-02 x", "2024-1-2 x", "2024-01-02T10:00:00", "2024-1-2T9"]),
    ("TIMESTAMP", ["2024-01-02 03:04:05.123456", "2024-01-02T03:04:05.120Z", "2024-1-2 3:4:5.1234560"], []),
    ("TIMESTAMP", ["2024-01-02", "2024-01-02 03:04", "2024-01-02T03:04:05.123456+01:00"], []),
    (
        "TIMESTAMP",
        [],
        ["2024-01-02 03:04:05.1234567", "2024-1-2 3:4:5.1234567", "10:00", "T10:00:00.123+01:00"],
    ),
    ("TIMESTAMP_NTZ", ["2024-01-02 03:04:05.5"], ["2024-01-02 03:04:05Z", "2024-01-02 03:04:05.1234567"]),
    ("DOUBLE", ["1e308", "Infinity", "-inf", "NaN", "0.12345678901234567890"], ["1e400", "-1e309"]),
    ("FLOAT", ["0.1234567890123", "3e38", "Infinity"], ["1e39"]),
    ("INT", ["7", "+7"], ["1.7", "1e3", "3000000000"]),
    ("BIGINT", ["9223372036854775807"], ["9223372036854775808", "7.0"]),
]


@pytest.mark.parametrize(("kind", "kept", "refused"), EXACT, ids=[f"{kind} {n}" for n, (kind, *_) in enumerate(EXACT)])
def test_a_text_that_says_more_than_its_type_holds_is_rejected(csv, kind, kept, refused):
    lines = "".join(f"{n},{text}\n" for n, text in enumerate([*kept, *refused]))
    df = csv("n,v\n" + lines, schema=f"n INT, v {kind}").orderBy("n")
    assert [row.n for row in df.where("v IS NOT NULL AND _error IS NULL").collect()] == list(range(len(kept)))
    said = [row.message.partition(": `v` is not ")[2] for row in df.where("v IS NULL").select("_error.*").collect()]
    assert [text.partition(": ")[2] for text in said] == refused


def test_texts_of_more_digits_than_a_time_has_are_inferred_to_be_texts(csv):
    assert csv("t\n2024-01-02 03:04:05.1234567\n2024-01-02 03:04:05\n").drop("_error").dtypes == [("t", "string")]


def test_a_sample_s_type_rounds_no_text_of_the_other_rows(csv, monkeypatch):
    monkeypatch.setattr("birchtar.lake.csv.sampled", lambda df, share: df.limit(1))
    df = csv(f"n\n{10**30}\n1.5\n", sampling_ratio=0.5)
    assert df.drop("_error").dtypes == [("n", "decimal(38,0)")]
    [(code, message, _)] = errors(df)
    assert (code, message.partition(": ")[2]) == ("CAST", "`n` is not a decimal(38,0): 1.5")
