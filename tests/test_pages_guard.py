"""The guard: only public addresses are dialled, however they are spelled and whoever redirects there."""

import socket
import ssl
import threading
import time
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from briefworks.pages.fetch import Answer
from briefworks.pages.guard import Guard, OutOfTime, Refused, is_public
from briefworks.pages.visits import Batch, Visits

CERTIFICATE = Path(__file__).parent / "pages" / "pages.test.pem"  # for pages.test, valid until 2126
HTML = "<html><body><p>Hello.</p></body></html>"


@pytest.fixture
def site(threaded_server: HTTPServer):
    threaded_server.clear()
    threaded_server.no_handler_status_code = 404  # above all for /robots.txt: everything is allowed
    return threaded_server


def fetch(url: str, allow_hosts: list[str] | None = None, **options) -> Answer:
    return Visits(Guard(allow_hosts or [], **options)).page(url, Batch(time.monotonic() + 10))


def refusal(url: str, allow_hosts: list[str] | None = None, **options) -> str:
    with pytest.raises(Refused) as raised:
        fetch(url, allow_hosts, **options)
    return str(raised.value)


def host_of(server: HTTPServer) -> str:
    return f"{server.host}:{server.port}"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "0.1.2.3",
        "100.64.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "168.63.129.16",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "5f00::1",
        "100::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "not a number",
        "",
    ],
)
def test_this_address_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "64:ff9b::808:808"])
def test_this_address_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "017700000001",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "１２７.0.0.1",
    ],
)
def test_loopback_is_refused_in_every_spelling(host):
    assert refusal(f"http://{host}:8080/") in ("private address", "not a web address")


@pytest.mark.parametrize(
    ("url", "note"),
    [
        ("file:///etc/passwd", "not a web address"),
        ("ftp://example.com/", "not a web address"),
        ("gopher://example.com/", "not a web address"),
        ("//example.com/", "not a web address"),
        ("/etc/passwd", "not a web address"),
        ("", "not a web address"),
        ("http:///", "not a web address"),
        ("http://[::1/", "not a web address"),
        ("http://0177.0.0.1/", "not a web address"),
        ("http://exa\nmple.com/", "not a web address"),
        ("http://a.example/" + "x" * 5000, "not a web address"),
        ("http://user@a.example/", "an address with a user name in it"),
        ("http://a.example:secret@127.0.0.1/", "an address with a user name in it"),
        ("http://a.example:22/", "port 22"),
        ("http://a.example:6379/", "port 6379"),
        ("https://a.example:0/", "port 0"),
    ],
)
def test_only_plain_web_addresses_on_web_ports_are_fetched(url, note):
    def nobody(host: str, port: int) -> list[str]:
        raise AssertionError("resolved")

    assert refusal(url, resolver=nobody) == note


@pytest.mark.parametrize(
    "answers",
    [["10.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["::ffff:10.0.0.1"], ["2606:4700::1111", "fe80::1%2"]],
)
def test_a_name_is_refused_when_a_single_one_of_its_addresses_is_private(answers):
    assert refusal("http://a.example/", resolver=lambda host, port: answers) == "private address"


def test_a_name_that_does_not_exist_is_said_so():
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    assert refusal("http://a.example/", resolver=unknown) == "the host is not found"


def test_the_number_that_was_checked_is_the_one_that_is_dialled(site: HTTPServer):
    """A name that changes its answer after the check changes nothing: each connection resolves once."""
    site.expect_request("/").respond_with_data(HTML, content_type="text/html")
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    answer = fetch(
        f"http://nowhere.invalid:{site.port}/",  # a name no real resolver knows
        ["nowhere.invalid"],
        resolver=rebinding,
    )
    assert answer.body == HTML.encode()
    assert asked == ["nowhere.invalid"] * len(site.log)
    assert site.log[0][0].host == f"nowhere.invalid:{site.port}"


def test_the_next_address_is_tried_when_the_first_does_not_answer(site: HTTPServer):
    site.expect_request("/").respond_with_data(HTML, content_type="text/html")
    answer = fetch(
        f"http://two.invalid:{site.port}/",
        ["two.invalid"],
        resolver=lambda host, port: ["127.0.0.99", "127.0.0.1"],
    )
    assert answer.status == 200


@pytest.mark.parametrize(
    "entry",
    ["{host}", "{host}:{port}", " {host}:{port} "],
)
def test_a_host_the_operator_names_may_be_private(site: HTTPServer, entry):
    site.expect_request("/").respond_with_data(HTML, content_type="text/html")
    allow = [entry.format(host=site.host, port=site.port)]
    assert fetch(site.url_for("/"), allow).body == HTML.encode()


def test_the_operators_port_is_not_another_one(site: HTTPServer):
    note = refusal(site.url_for("/"), [f"{site.host}:1"])
    assert note == f"port {site.port}"
    assert refusal("http://localhost:8080/", ["localhost:8081"]) == "private address"


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1/",
        "http://[::1]:8080/",
        "//localhost:80/",
    ],
)
def test_a_redirect_to_a_private_address_is_refused(site: HTTPServer, target):
    site.expect_request("/").respond_with_data(status=302, headers={"Location": target})
    assert refusal(site.url_for("/"), [host_of(site)]) == "private address"


@pytest.mark.parametrize(
    ("target", "note"),
    [
        ("file:///etc/passwd", "not a web address"),
        ("http://u:p@a.example/", "an address with a user name in it"),
        ("http://a.example:25/", "port 25"),
        ("http://0177.0.0.1/", "it redirects to nowhere"),
    ],
)
def test_a_redirect_is_checked_like_any_address(site: HTTPServer, target, note):
    site.expect_request("/").respond_with_data(status=301, headers={"Location": target})
    assert refusal(site.url_for("/"), [host_of(site)]) == note


def test_four_redirects_are_followed_and_no_fifth(site: HTTPServer):
    for n in range(5):
        site.expect_request(f"/{n}").respond_with_data(status=307, headers={"Location": f"/{n + 1}"})
    site.expect_request("/5").respond_with_data(HTML, content_type="text/html")
    allow = [host_of(site)]
    assert fetch(site.url_for("/1"), allow).body == HTML.encode()
    assert refusal(site.url_for("/0"), allow) == "more than 4 redirects"


def test_a_robots_txt_that_redirects_to_a_private_address_closes_the_host(site: HTTPServer):
    site.expect_request("/robots.txt").respond_with_data(
        status=302, headers={"Location": "http://169.254.169.254/robots.txt"}
    )
    assert refusal(site.url_for("/"), [host_of(site)]) == "private address"
    assert [request.path for request, _ in site.log] == ["/robots.txt"]


def test_no_cookie_and_no_environment_reaches_the_request(site: HTTPServer, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    site.expect_request("/a").respond_with_data(status=302, headers={"Location": "/b", "Set-Cookie": "id=7"})
    site.expect_request("/b").respond_with_data(HTML, content_type="text/html")
    fetch(site.url_for("/a"), [host_of(site)])
    last = site.log[-1][0]
    assert "Cookie" not in last.headers
    assert "Authorization" not in last.headers
    assert last.headers["User-Agent"].startswith("briefworks/")
    assert "(+https://" in last.headers["User-Agent"]


@pytest.fixture(scope="module")
def tls_server():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with HTTPServer(host="127.0.0.1", ssl_context=context) as server:
        server.no_handler_status_code = 404
        server.expect_request("/").respond_with_data(HTML, content_type="text/html")
        yield server


@pytest.mark.parametrize(
    ("host", "note"), [("pages.test", ""), ("other.test", "no valid certificate")], ids=["right", "wrong"]
)
def test_a_certificate_is_checked_by_name_although_a_number_is_dialled(tls_server: HTTPServer, host, note):
    options = {
        "resolver": lambda name, port: ["127.0.0.1"],
        "ssl_context": ssl.create_default_context(cafile=str(CERTIFICATE)),
    }
    url = f"https://{host}:{tls_server.port}/"
    if note:
        assert refusal(url, [host], **options) == note
    else:
        assert fetch(url, [host], **options).body == HTML.encode()


def test_a_certificate_nobody_vouches_for_is_refused(tls_server: HTTPServer):
    url = f"https://pages.test:{tls_server.port}/"
    assert refusal(url, ["pages.test"], resolver=lambda *_: ["127.0.0.1"]) == "no valid certificate"


def test_nothing_begins_once_the_batch_is_stopped(site: HTTPServer):
    batch = Batch(time.monotonic() + 10)
    batch.stop()
    with pytest.raises(OutOfTime):
        Visits(Guard([host_of(site)])).page(site.url_for("/"), batch)
    assert site.log == []


def test_a_host_is_asked_one_thing_at_a_time_and_the_operators_up_to_four(site: HTTPServer):
    lock, now, most = threading.Lock(), 0, 0
    four = threading.Barrier(4, timeout=10)

    def answer(request) -> Response:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        if request.path.startswith("/four"):
            four.wait()  # passes only when four requests are here together
        else:
            time.sleep(0.02)  # long enough for a second one to be seen
        with lock:
            now -= 1
        return Response(HTML, content_type="text/html")

    for path in [f"/{kind}{n}" for kind in ("one", "four") for n in range(4)]:
        site.expect_request(path).respond_with_handler(answer)

    def all_four(kind: str, visits: Visits) -> None:
        batch = Batch(time.monotonic() + 20)
        url = f"http://many.invalid:{site.port}/{kind}"
        threads = [threading.Thread(target=visits.page, args=(f"{url}{n}", batch)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    class OneAtATime(Guard):
        """A public host cannot stand on loopback: one that may be dialled, yet is not the operator's own."""

        def allows(self, host: str, port: int) -> bool:
            return False

        def check_url(self, text: str):
            return trusted.check_url(text)

        def addresses(self, host: str, port: int) -> list[str]:
            return ["127.0.0.1"]

    trusted = Guard(["many.invalid"], resolver=lambda *_: ["127.0.0.1"])
    all_four("one", Visits(OneAtATime()))
    assert most == 1
    all_four("four", Visits(trusted))
    assert most == 4
