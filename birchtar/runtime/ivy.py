"""The Ivy inside the PySpark wheel, called once at set-up: it knows Maven repositories, mirrors and checksums."""

import os
import re
import subprocess
from pathlib import Path
from string import Template
from xml.sax.saxutils import quoteattr

from birchtar.runtime.errors import RuntimeSetupError
from birchtar.runtime.jars import ELSEWHERE, SOURCE_VARIABLE, Jar, source
from birchtar.runtime.java import find_java
from birchtar.runtime.java_network import network_options

_SETTINGS = Template("""<ivysettings>
  <settings defaultResolver="jars"/>
  <caches defaultCacheDir=$cache/>
  <resolvers><ibiblio name="jars" m2compatible="true" usepoms="false" $root/></resolvers>
</ivysettings>
""")
_DEPENDENCY = Template("""<dependency org=$group name=$artifact rev=$version transitive="false">
  <artifact name=$artifact type="jar"/>
</dependency>
""")


def resolve(jars: list[Jar], work: Path) -> list[Path]:
    """Fetch the jars, and nothing that they depend on, into a folder; return their paths.

    Raises:
        RuntimeSetupError: The repository cannot be reached, or lacks a jar.
    """
    named = os.environ.get(SOURCE_VARIABLE)
    root = f"root={quoteattr(named.rstrip('/') + '/')}" if named else ""
    settings, module = work / "settings.xml", work / "ivy.xml"
    settings.write_text(_SETTINGS.substitute(cache=quoteattr(str(work / "cache")), root=root))
    dependencies = "".join(
        _DEPENDENCY.substitute(
            group=quoteattr(jar.group), artifact=quoteattr(jar.artifact), version=quoteattr(jar.version)
        )
        for jar in jars
    )
    module.write_text(
        f'<ivy-module version="2.0"><info organisation="birchtar" module="jars"/>'
        f"<dependencies>{dependencies}</dependencies></ivy-module>"
    )
    command = [find_java().command, *network_options(work), "-jar", _ivy(), "-settings", settings, "-ivy", module]
    done = subprocess.run(  # noqa: S603 - the Java and the Ivy found above
        [*map(str, command), "-retrieve", f"{work}/[artifact]-[revision].[ext]"],
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    missing = [jar for jar in jars if not (work / jar.file).is_file()]
    if missing:
        # For the sake of one that is not there, Ivy leaves out the others too.
        at_fault = [jar for jar in missing if f":: {jar.group}#{jar.artifact};{jar.version}" in said] or missing
        raise RuntimeSetupError(
            f"{', '.join(jar.coordinates for jar in at_fault)} could not be fetched from {source()}:\n"
            + _reasons(said)
            + f"\n{ELSEWHERE}"
        )
    return [work / jar.file for jar in jars]


def _ivy() -> Path:
    import pyspark

    return next((Path(pyspark.__file__).parent / "jars").glob("ivy-*.jar"))


def _reasons(output: str) -> str:
    """Return the lines of Ivy's long report that say what went wrong."""
    telling = [line.strip() for line in output.splitlines() if re.search(r"error|not found|\[failed", line, re.I)]
    return "\n".join(f"  {line}" for line in dict.fromkeys(telling)) or output[-2000:]
