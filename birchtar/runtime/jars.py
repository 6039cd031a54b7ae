"""The jars that Spark gets beside its own: listed once, fetched once, checked before every start."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import tomllib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from birchtar.runtime.errors import RuntimeSetupError
from birchtar.runtime.home import folder_in_home, home
from birchtar.runtime.java import find_java

SOURCE_VARIABLE = "BIRCHTAR_JARS_FROM"
"""Names where jars come from instead of Maven Central: the URL of a mirror, or a folder that holds the files."""

_ELSEWHERE = (
    f"To fetch from elsewhere, set {SOURCE_VARIABLE} to a Maven mirror's URL or to a folder that holds the jars."
)
_CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")

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


@dataclass(frozen=True)
class Jar:
    """One line of `jars.toml`."""

    group: str
    artifact: str
    version: str
    sha256: str
    why: str

    @property
    def coordinates(self) -> str:
        """Group, artifact and version, as Maven writes them."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file(self) -> str:
        """The name of the file, as in a Maven repository."""
        return f"{self.artifact}-{self.version}.jar"

    @property
    def path(self) -> Path:
        """Where set-up puts it."""
        return home() / "jars" / self.file


@cache
def listed() -> tuple[Jar, ...]:
    """Return every jar of `jars.toml`."""
    text = files(__package__).joinpath("jars.toml").read_text(encoding="utf-8")
    return tuple(Jar(**entry) for entry in tomllib.loads(text)["jar"])


def problems() -> Iterator[str]:
    """Yield a sentence for every jar that is missing or not the file that was listed. Reads every jar once."""
    for jar in listed():
        if not jar.path.is_file():
            yield f"The jar {jar.coordinates} is missing: {jar.path} does not exist."
        elif (found := _sha256(jar.path)) != jar.sha256:
            yield (
                f"The jar {jar.coordinates} is corrupt: {jar.path} has SHA-256 {found[:12]}...,"
                f" the list says {jar.sha256[:12]}...."
            )


def require_jars() -> list[Path]:
    """Return the paths of all jars, each checked against its SHA-256.

    Raises:
        RuntimeSetupError: One is missing or corrupt. The message says which, and how to get it.
    """
    if wrong := list(problems()):
        raise RuntimeSetupError(
            "\n".join(wrong) + f"\nRun `birchtar setup` (or `make setup`) to fetch it from {_source()}. {_ELSEWHERE}"
        )
    return [jar.path for jar in listed()]


def fetch_jars() -> list[Jar]:
    """Bring every missing or corrupt jar into the local folder, checked; return those that were fetched.

    Safe to run again and beside itself: a jar appears under its name only when it is whole.

    Raises:
        RuntimeSetupError: The source cannot be reached, lacks a jar, or has another file under its name; or the local
            folder cannot be written.
    """
    wanted = [jar for jar in listed() if not jar.path.is_file() or _sha256(jar.path) != jar.sha256]
    if not wanted:
        return []
    folder = folder_in_home("jars")
    with tempfile.TemporaryDirectory(dir=folder) as work:
        fetched = _copy(wanted, Path(_source())) if _source_is_folder() else _resolve(wanted, Path(work))
        for jar, path in zip(wanted, fetched, strict=True):
            found = _sha256(path)
            if found != jar.sha256:
                raise RuntimeSetupError(
                    f"{jar.coordinates} from {_source()} is not the listed file: its SHA-256 is {found},"
                    f" jars.toml says {jar.sha256}. It was not kept."
                )
            whole = Path(work) / f"{jar.file}.whole"
            shutil.copyfile(path, whole)
            whole.replace(jar.path)
    return wanted


def _source() -> str:
    return os.environ.get(SOURCE_VARIABLE) or "Maven Central"


def _source_is_folder() -> bool:
    named = os.environ.get(SOURCE_VARIABLE)
    return bool(named) and not urlsplit(named).scheme


def _copy(jars: list[Jar], folder: Path) -> list[Path]:
    for jar in jars:
        if not (folder / jar.file).is_file():
            raise RuntimeSetupError(f"The folder {folder}, named by {SOURCE_VARIABLE}, does not hold {jar.file}.")
    return [folder / jar.file for jar in jars]


def _resolve(jars: list[Jar], work: Path) -> list[Path]:
    """Let the Ivy inside the PySpark wheel fetch the jars, and nothing that they depend on."""
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
    command = [find_java().command, *_trust(work), *_proxy(), "-jar", _ivy(), "-settings", settings, "-ivy", module]
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
            f"{', '.join(jar.coordinates for jar in at_fault)} could not be fetched from {_source()}:\n"
            + _reasons(said)
            + f"\n{_ELSEWHERE}"
        )
    return [work / jar.file for jar in jars]


def _ivy() -> Path:
    import pyspark

    return next((Path(pyspark.__file__).parent / "jars").glob("ivy-*.jar"))


def _reasons(output: str) -> str:
    """Return the lines of Ivy's long report that say what went wrong."""
    telling = [line.strip() for line in output.splitlines() if re.search(r"error|not found|\[failed", line, re.I)]
    return "\n".join(f"  {line}" for line in dict.fromkeys(telling)) or output[-2000:]


def _trust(work: Path) -> list[str]:
    """Make Java trust what the user's own variables make Python, curl and pip trust; Java reads none of them."""
    bundle = next((os.environ[name] for name in _CERTIFICATE_VARIABLES if os.environ.get(name)), None)
    if bundle is None:
        return []
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
    from cryptography.utils import CryptographyDeprecationWarning

    with warnings.catch_warnings():
        # Old roots with odd serial numbers are common in bundles, and no concern of the user's here.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        certificates = x509.load_pem_x509_certificates(Path(bundle).read_bytes())
    entries = [pkcs12.PKCS12Certificate(certificate, str(n).encode()) for n, certificate in enumerate(certificates)]
    password = "public-certificates"  # noqa: S105 - the store holds nothing secret, but Java wants one
    store = work / "trust.p12"
    store.write_bytes(pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(password.encode())))
    return [
        f"-Djavax.net.ssl.trustStore={store}",
        "-Djavax.net.ssl.trustStoreType=PKCS12",
        f"-Djavax.net.ssl.trustStorePassword={password}",
    ]


def _proxy() -> list[str]:
    """Hand Java the proxy that HTTPS_PROXY or HTTP_PROXY names; Java reads neither."""
    for scheme in ("https", "http"):
        named = os.environ.get(f"{scheme.upper()}_PROXY") or os.environ.get(f"{scheme}_proxy")
        if named and (host := urlsplit(named).hostname):
            port = urlsplit(named).port or 80
            return [f"-D{kind}.proxy{part}" for kind in ("http", "https") for part in (f"Host={host}", f"Port={port}")]
    return []


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
