"""Spark's classes as Java lays them out in memory, in a file: a session that maps it starts in half the time.

Java takes such an archive only where Java and class path are those it was recorded with. Else it starts without.
"""

import subprocess
from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from birchtar.runtime.home import folder_in_home, home
from birchtar.runtime.java import Java


def archive(java: Java, jars: Sequence[Path]) -> Path:
    """Return where the archive for a Java and these jars is, or would be."""
    release = java.home / "release"
    build = release.read_text(encoding="utf-8") if release.is_file() else ""
    parts = [str(java.home), build, version("pyspark"), *map(str, jars)]
    return home() / "java" / f"classes-{java.version}-{sha256('|'.join(parts).encode()).hexdigest()[:12]}.jsa"


def options(java: Java, jars: Sequence[Path]) -> list[str]:
    """Return the options that make Java use the archive; none where there is no archive."""
    recorded = archive(java, jars)
    if not recorded.is_file():
        return []
    # Java would print warnings, on standard output, where the archive does not fit and it starts without.
    return [f"-XX:SharedArchiveFile={_on_base(java, recorded)}", "-Xlog:disable"]


def recording_options(java: Java, path: Path) -> list[str]:
    """Return the options that make Java write an archive to a path when it ends. May make the archive it builds on."""
    base = _base(java)
    if base and not base.is_file():
        folder_in_home("java")
        unfinished = base.with_suffix(f".{path.stem}")
        command = [str(java.command), "-Xshare:dump", f"-XX:SharedArchiveFile={unfinished}"]
        subprocess.run(command, capture_output=True, check=True)  # noqa: S603 - the Java that runs Spark
        unfinished.replace(base)
    on_base = [f"-XX:SharedArchiveFile={base}"] if base else []
    return [*on_base, f"-XX:ArchiveClassesAtExit={path}", "-Xlog:disable"]


def _base(java: Java) -> Path | None:
    """Return the archive of Java's own classes, where Java does not come with one."""
    if (java.home / "lib" / "server" / "classes.jsa").is_file():
        return None
    return home() / "java" / f"classes-{java.version}-{sha256(str(java.home).encode()).hexdigest()[:12]}-base.jsa"


def _on_base(java: Java, recorded: Path) -> str:
    base = _base(java)
    return f"{base}:{recorded}" if base else str(recorded)
