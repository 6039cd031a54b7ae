"""Why nothing can be written to a folder: told with what keeps it from being written, and what to do."""

import errno
import getpass
import re
from pathlib import Path

import pytest

from birchtar.lake.errors import LakeError
from birchtar.lake.label import Label
from birchtar.lake.sink import Sink
from birchtar.lake.writable import refusal, unwritable
from birchtar.lake.write import stage

USER = getpass.getuser()


@pytest.mark.parametrize("kind", ["parquet", "delta"])
def test_a_file_in_the_place_of_a_folder_is_told(spark, tmp_path, kind):
    (tmp_path / "lake").write_text("no folder")
    path = f"file:{tmp_path}/lake/table"
    said = (
        f"{tmp_path}/lake/table: {tmp_path}/lake is a file, and a table needs a folder there. Move it away, or let the"
    )
    with pytest.raises(LakeError, match=re.escape(said)):
        stage(spark.range(1), Sink(path=path, format=kind), path, Label("job", "out", 1))


def test_a_folder_that_can_be_written_or_made_is_not_blamed(tmp_path):
    assert unwritable(f"file:{tmp_path}/lake/table") is None
    assert list(tmp_path.iterdir()) == []
    assert unwritable("s3a://bucket/lake") is None


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (
            errno.EACCES,
            f"The user `{getpass.getuser()}` may not write to the folder /lake. Give the user the right to,",
        ),
        (errno.EROFS, "/lake is on a read-only file system. Mount it so that it can be written to,"),
        (errno.ENOSPC, None),
    ],
)
def test_what_the_system_refuses_is_said_in_words(number, said):
    told = refusal(Path("/lake"), OSError(number, "no"))
    assert told == (said and f"{said} or let the output have another `path`.")
