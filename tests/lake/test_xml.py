"""XML: elements that are rows, elements that are broken, and what stands around them."""

from datetime import date

import pytest

from birchtar.lake.errors import LakeError
from birchtar.lake.read import read
from birchtar.lake.rejects import with_file
from birchtar.lake.source import Source

SCHEMA = "id INT, name STRING"


def item(id_, name="x"):
    return f"<item><id>{id_}</id><name>{name}</name></item>"


@pytest.fixture
def xml(spark, stored):
    """Reads the given text, of one file."""

    def read_text(text, *, schema=SCHEMA, row_tag="item", **settings):
        path = stored(x_xml=text)
        return read(spark, Source(path=path, format="xml", schema=schema, row_tag=row_tag, **settings))

    return read_text


def accepted(df):
    return list(map(tuple, df.where("_error IS NULL").drop("_error").collect()))


def rejected(df):
    told = df.where("_error IS NOT NULL").select("_error.code", "_error.record", "_error.position")
    return list(map(tuple, told.collect()))


def test_elements_are_rows_with_what_is_in_them(xml):
    df = xml(
        """<?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE items [<!ELEMENT items (item*)>]>
        <items made="today">
          <item id="1" day="2024-01-31"><name>Ada</name><tag>a</tag><tag>b</tag><price cur="EUR">1.50</price></item>
          <other>passed over</other>
          <item id="2"/>
        </items>""",
        schema="_id INT, _day DATE, name STRING, tag ARRAY<STRING>, price STRUCT<_VALUE: DECIMAL(5,2), _cur: STRING>",
    )
    assert df.columns == ["_id", "_day", "name", "tag", "price", "_error"]
    [first, second] = accepted(df)
    assert (*first[:4], str(first[4]._VALUE), first[4]._cur) == (1, date(2024, 1, 31), "Ada", ["a", "b"], "1.50", "EUR")
    assert second == (2, None, None, None, None)
    assert rejected(df) == []


def test_types_are_inferred_from_all_records(xml):
    df = xml(f"<items>{item(1)}{item(2.5)}<item><id/><when>2024-01-31</when></item></items>", schema=None)
    assert df.dtypes[:-1] == [("id", "double"), ("name", "string"), ("when", "date")]
    assert accepted(df) == [(1.0, "x", None), (2.5, "x", None), (None, None, date(2024, 1, 31))]


def test_files_lie_in_folders_that_tell_columns(spark, tmp_path):
    for day in (1, 2):
        folder = tmp_path / f"day={day}"
        folder.mkdir()
        (folder / "x.xml").write_text(f"<items>{item(day)}</items>")
    inferred = read(spark, Source(path=str(tmp_path), format="xml", row_tag="item"))
    assert inferred.dtypes[:-1] == [("id", "bigint"), ("name", "string"), ("day", "int")]
    declared = read(spark, Source(path=str(tmp_path), format="xml", row_tag="item", schema="day STRING, id INT"))
    assert sorted(accepted(declared)) == [("1", 1), ("2", 2)]


@pytest.mark.parametrize(
    ("broken", "records"),
    [
        pytest.param("<item><id>2</id>", ["<item><id>2</id>\n"], id="not closed"),
        pytest.param("<item><id>2</item>", ["<item><id>2</item>"], id="an element inside is not closed"),
        pytest.param("<item><id>2</id></itm>", ["<item><id>2</id></itm>\n"], id="the end tag has another name"),
        pytest.param("<itm><id>2</id></item>", ["\n<itm><id>2</id></item>"], id="the start tag has another name"),
        pytest.param("<item><id>two</id></item>", ["<item><id>two</id></item>"], id="not of its type"),
        pytest.param("<item a=1><id>2</id></item>", ["<item a=1><id>2</id></item>"], id="an attribute without quotes"),
        pytest.param("<item><id>2 & 3</id></item>", ["<item><id>2 & 3</id></item>"], id="a bare ampersand"),
        pytest.param("<item><id>&no;</id></item>", ["<item><id>&no;</id></item>"], id="an unknown entity"),
        pytest.param('<item a="x><id>2</id></item>', ['<item a="x><id>2</id></item>'], id="a quote is not closed"),
        pytest.param("<item><id>2\x1e</id></item>", ["<item><id>2", "</id></item>"], id="a sign that XML forbids"),
        pytest.param(
            f"<item>{item(2)}</item>", ["<item>", "</item>"], id="an element in one of its name: the inner one is read"
        ),
    ],
)
def test_a_broken_record_is_rejected_with_its_text_and_those_around_it_are_read(xml, broken, records):
    df = xml(f"<items>{item(1)}\n{broken}\n{item(3)}</items>")
    inner = [2] if len(records) == 2 and records[0] == "<item>" else []
    assert [row[0] for row in accepted(df)] == [1, *inner, 3]
    of_records = [row for row in rejected(df) if row[0] != "CORRUPT_FILE"]
    assert [(code, record) for code, record, _ in of_records] == [("MALFORMED", record) for record in records]
    assert of_records[0][2] == 2


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"<items>{item(1)}", id="cut off behind a record"),
        pytest.param(f"{item(1)}</items>", id="cut off in front"),
        pytest.param(f"<items>{item(1)}<itm><id>2</id></itn></items>", id="a record of which both tags are hit"),
        pytest.param(f"<items>{item(1)}<other></items>", id="another element is not closed"),
        pytest.param(f"<items><!-- {item(1)}</items>", id="a comment that does not end"),
        pytest.param(f"{item(1)} something else", id="a text outside of all elements"),
        pytest.param(f"<items><!-- a --x {item(1)}<!-- b --></items>", id="a comment whose end is hit"),
    ],
)
def test_a_file_with_something_wrong_around_its_records_is_told_of(xml, text):
    df = xml(text)
    assert accepted(df) == [(1, "x")]
    assert rejected(df) == [("CORRUPT_FILE", None, None)]
    [(message,)] = df.where("_error IS NOT NULL").select("_error.message").collect()
    assert message.startswith("What stands around the elements <item> is not well-formed")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="an empty file"),
        pytest.param("<items/>", id="no record"),
        pytest.param(f"<items><!-- {item(1)} - {item(2)} --></items>", id="commented out"),
        pytest.param(f"<items><note><![CDATA[{item(1)}]]></note></items>", id="a text in CDATA"),
        pytest.param("<items><itemised><id>1</id></itemised></items>", id="a longer name"),
        pytest.param("\ufeff<items></items>\n", id="a mark of the byte order"),
    ],
)
def test_what_only_looks_like_a_record_is_none(xml, text):
    assert xml(text).collect() == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"{item(1)}\n{item(2)}", [(1, "x"), (2, "x")], id="no root"),
        pytest.param(
            f"<a>{item(1)}</a><?xml version='1.0'?><a>{item(2)}</a>", [(1, "x"), (2, "x")], id="two documents"
        ),
        pytest.param(item(1, "<![CDATA[a < b & c]]> d"), [(1, "a < b & c d")], id="CDATA"),
        pytest.param(item(1, "<![CDATA[<!-- kept -->]]>"), [(1, "<!-- kept -->")], id="what looks like a comment"),
        pytest.param(item(1, "<![CDATA[</item><item>]]>"), [(1, "</item><item>")], id="tags in CDATA"),
        pytest.param(item(1, "a<!-- </item> -->b"), [(1, "ab")], id="a tag in a comment"),
        pytest.param(item(1, "&lt;item&gt; &#252; &amp;"), [(1, "<item> ü &")], id="entities"),
        pytest.param("<item\n><id>1</id></item >", [(1, None)], id="space in tags"),
        pytest.param("<item n='a > b / c'/><item n=\"</x>\"><id>2</id></item>", [(None, None)], id="signs in quotes"),
        pytest.param("<item></item><item/><item />", [(None, None)] * 3, id="empty elements"),
    ],
)
def test_texts_are_taken_as_xml_means_them(xml, text, expected):
    assert accepted(xml(text)) == expected


def test_names_with_a_prefix_need_no_namespace(xml):
    df = xml('<s:items xmlns:s="u"><s:item><s:id>1</s:id></s:item></s:items>', row_tag="s:item", schema="`s:id` INT")
    assert df.collect() == [(1, None)]


@pytest.mark.parametrize(
    ("declared", "charset"),
    [
        ("ISO-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
        ("cp1252", "cp1252"),
        ("latin1", "latin-1"),
        ("ISO-8859-15", "iso-8859-15"),
        ("utf-8", "utf-8"),
        ("UTF-16", "utf-16"),
    ],
)
def test_a_file_tells_its_encoding(xml, declared, charset):
    name = "Jörg €" if charset != "latin-1" else "Jörg"
    text = f"<?xml version='1.0' encoding='{declared}'?><items>{item(1, name)}</items>"
    assert xml(text.encode(charset)).collect() == [(1, name, None)]


def test_the_options_tell_an_encoding_that_files_do_not(xml):
    df = xml(f"<items>{item(1, 'Jörg €')}</items>".encode("cp1252"), options={"encoding": "windows-1252"})
    assert df.collect() == [(1, "Jörg €", None)]


def test_an_unknown_encoding_is_told(spark, stored):
    folder = stored(
        a_xml=f"<?xml version='1.0' encoding='EBCDIC-US'?><items>{item(1)}</items>", b_xml=f"<items>{item(2)}</items>"
    )
    df = read(spark, Source(path=folder, format="xml", row_tag="item", schema=SCHEMA))
    assert accepted(df) == [(2, "x")]
    [(code, message)] = df.where("_error IS NOT NULL").select("_error.code", "_error.message").collect()
    assert code == "CORRUPT_FILE"
    assert message.startswith(
        "The file says that its encoding is EBCDIC-US, in which none can be read. Known are UTF-8"
    )
    with pytest.raises(LakeError, match="XML in the encoding EBCDIC-US cannot be read. Known are UTF-8"):
        read(spark, Source(path=folder, format="xml", row_tag="item", schema=SCHEMA, options={"encoding": "EBCDIC-US"}))


def test_bytes_that_are_no_text_reject_their_record_alone(xml):
    df = xml(b"<items>" + item(1, "J\xf6rg").encode() + item(2, "J@rg").encode().replace(b"@", b"\xf6") + b"</items>")
    assert accepted(df) == [(1, "Jörg")]
    assert rejected(df) == [("ENCODING", r"<item><id>2</id><name>J\xF6rg</name></item>", 2)]


def test_a_name_that_is_not_ascii_is_found_in_files_with_broken_bytes(xml):
    df = xml("<größe><id>1</id></größe><größe><id>@</id></größe>".encode().replace(b"@", b"\xff"), row_tag="größe")
    assert accepted(df) == [(1, None)]
    assert [row[0] for row in rejected(df)] == ["ENCODING"]


def test_outside_entities_are_not_followed(xml, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    df = xml(f'<!DOCTYPE items [<!ENTITY x SYSTEM "file://{secret}">]><items>{item(1, "&x;")}</items>')
    assert accepted(df) == []
    [(code, record, _)] = rejected(df)
    assert (code, record) == ("MALFORMED", item(1, "&x;"))


def test_a_position_is_the_number_of_the_element_in_its_file(xml):
    df = with_file(xml(f"<items>{item(1)}{item('x')}{item(3)}{item('y')}</items>"))
    rows = df.where("_error IS NOT NULL").select("_error.position", "_error.file").collect()
    assert [row.position for row in rows] == [2, 4]
    assert {row.file.rpartition("/")[2] for row in rows} == {"x.xml"}


def test_without_a_record_there_are_no_columns(xml):
    with pytest.raises(LakeError, match="no element <item> with anything in it to take the columns from. Check"):
        xml("<items/>", schema=None)


def test_a_column_of_our_own_name_is_refused(xml):
    with pytest.raises(LakeError, match="there is a column `_error`"):
        xml('<item error="x"/>', schema=None)


def test_long_files_are_no_trouble(xml):
    note = "<!-- " + "2024-01-31 " * 20_000 + "-->"
    attributes = " ".join(f'a{n}="{n}"' for n in range(150))
    many = "".join(map(item, range(20_000)))
    df = xml(f"<items>{note}<item {attributes}><id>-1</id></item>{many}{'<!-- - '}</items>")
    assert df.where("_error IS NULL").selectExpr("count(*)", "min(id)", "sum(id)").collect() == [
        (20_001, -1, 199_989_999)
    ]
    assert rejected(df) == [("CORRUPT_FILE", None, None)]
