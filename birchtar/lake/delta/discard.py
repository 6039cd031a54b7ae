"""What a failed run leaves is removed; what readers may see never is."""

from collections.abc import Sequence

from pyspark.sql import SparkSession

from birchtar.lake.delta.dead_files import delete_unmade_log
from birchtar.lake.delta.folder import delete_folder
from birchtar.lake.delta.log import Log
from birchtar.lake.delta.plan import Plan, StagedFile
from birchtar.lake.files import FileSystem


def discard(spark: SparkSession, plan: Plan) -> None:
    """Delete what was staged and not published. That it is gone already is no error.

    A file that any commit since its staging names is kept, also if a later one took it out of the table again: time
    travel still reads it.
    """
    files = plan["files"]
    if plan["kind"] == "files" and files:
        committed = Log(spark, plan["folder"]).committed_files(after=plan["base"])
        if committed is None:
            return  # so much time has passed that the log forgot: VACUUM knows which files nobody needs
        files = [file for file in files if file["path"] not in committed]
    delete_staged(spark, plan["folder"], files, plan["kind"])
    if plan["kind"] == "files":
        delete_unmade_log(Log(spark, plan["folder"]))


def delete_staged(spark: SparkSession, folder: str, files: Sequence[StagedFile], kind: str = "files") -> None:
    """Delete staged files that are certainly not committed, or the hidden folder that they are in."""
    if kind == "folder":
        delete_folder(spark, folder)
        return
    system = FileSystem(spark, folder)
    for file in files:
        system.delete(f"{folder}/{file['path']}")
