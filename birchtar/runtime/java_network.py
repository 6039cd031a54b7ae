"""Java options that let it reach what Python, curl and pip reach; Java reads none of their variables."""

import os
import warnings
from pathlib import Path
from urllib.parse import urlsplit

_CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")


def network_options(work: Path) -> list[str]:
    """Return the options for the certificates and the proxy that the environment names.

    Args:
        work: Folder for a file that has to stay while Java runs.
    """
    return [*_trust(work), *_proxy()]


def _trust(work: Path) -> list[str]:
    """Trust the certificates that a variable names."""
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
    """Go through the proxy that HTTPS_PROXY or HTTP_PROXY names, but not to the hosts of NO_PROXY."""
    for scheme in ("https", "http"):
        named = _variable(f"{scheme}_proxy")
        if named and (host := urlsplit(named).hostname):
            port = urlsplit(named).port or 80
            options = [
                f"-D{kind}.proxy{part}" for kind in ("http", "https") for part in (f"Host={host}", f"Port={port}")
            ]
            return [*options, *_direct(_variable("no_proxy"))]
    return []


def _direct(no_proxy: str) -> list[str]:
    hosts = [host.strip().lstrip("*").lstrip(".") for host in no_proxy.split(",") if host.strip()]
    # A name stands for its subdomains too.
    patterns = [pattern for host in hosts for pattern in ((host, f"*.{host}") if host else ("*",))]
    return [f"-Dhttp.nonProxyHosts={'|'.join(patterns)}"] if patterns else []


def _variable(name: str) -> str:
    return os.environ.get(name) or os.environ.get(name.upper()) or ""
