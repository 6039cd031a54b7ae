"""What Java is told of proxies and of what goes past them."""

import pytest

from birchtar.runtime.java_network import network_options


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    names = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
    for name in names:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_nothing_named_nothing_told(tmp_path):
    assert network_options(tmp_path) == []


@pytest.mark.parametrize(
    ("variable", "proxy", "port"),
    [("HTTPS_PROXY", "http://proxy.example:3128", 3128), ("http_proxy", "http://proxy.example", 80)],
)
def test_a_proxy_serves_both_schemes(tmp_path, monkeypatch, variable, proxy, port):
    monkeypatch.setenv(variable, proxy)
    assert network_options(tmp_path) == [
        "-Dhttp.proxyHost=proxy.example",
        f"-Dhttp.proxyPort={port}",
        "-Dhttps.proxyHost=proxy.example",
        f"-Dhttps.proxyPort={port}",
    ]


def test_hosts_that_need_no_proxy_and_their_subdomains(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "localhost, .corp.example,*.lan")
    assert network_options(tmp_path)[-1] == (
        "-Dhttp.nonProxyHosts=localhost|*.localhost|corp.example|*.corp.example|lan|*.lan"
    )


def test_no_proxy_for_anything(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "*")
    assert network_options(tmp_path)[-1] == "-Dhttp.nonProxyHosts=*"
