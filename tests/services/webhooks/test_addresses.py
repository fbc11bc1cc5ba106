"""To which addresses a webhook may lead, and to which it is refused."""

import pytest

from app.outside.outgoing import Outgoing, Unsent, is_public
from app.services.background import send_webhooks
from tests.fixtures.receiver import receiving, trusting
from tests.services.webhooks.stored_webhooks import URL, happen, hook, only


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",  # noqa: S104 -- an address that must be refused
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%1",
        "fec0::1",
        "ff02::1",
        "100::1",
    ],
)
def test_addresses_that_are_not_the_internets_are_refused(address):
    assert not is_public(address)
    outgoing = Outgoing(resolve=lambda _name, _port: ["93.184.215.14", address])

    with pytest.raises(Unsent) as refused:
        outgoing.post(URL, b"", {})

    message = f"hooks.example.org is at {address}: this is no public address."
    assert str(refused.value) == message


@pytest.mark.parametrize(
    "address",
    [
        "93.184.215.14",
        "8.8.8.8",
        "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ],
)
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "127.1", "[::1]"]
)
def test_no_way_to_write_this_machine_leads_to_it(host):
    with receiving() as receiver:
        with pytest.raises(Unsent, match="this is no public address"):
            Outgoing().post(f"http://{host}:{receiver.port}/", b"", {})
        assert receiver.heard == []


def test_a_private_address_is_told_in_the_log(database):
    with receiving() as receiver:
        webhook = hook(database, receiver.url)
        happen(database)
        send_webhooks.deliver(database, Outgoing(), webhook)

    assert receiver.heard == []
    message = "127.0.0.1 is at 127.0.0.1: this is no public address."
    assert only(database).error == message


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "224.0.0.1", "::"])
def test_some_addresses_are_refused_in_internal_networks_too(address):
    outgoing = Outgoing(allow_private=True, resolve=lambda _name, _port: [address])

    with pytest.raises(Unsent, match="this is no public address"):
        outgoing.post(URL, b"", {})


def test_a_name_is_looked_up_once():
    """A name that resolves to another address later is refused (DNS rebinding)."""
    lookups = []

    def resolve(name, port):
        lookups.append((name, port))
        return ["93.184.215.14"] if len(lookups) == 1 else ["127.0.0.1"]

    with receiving() as receiver:
        outgoing = Outgoing(resolve=resolve, seconds=0.5)
        with pytest.raises(Unsent):
            outgoing.post(f"http://rebinding.test:{receiver.port}/", b"", {})
        assert lookups == [("rebinding.test", receiver.port)]
        with pytest.raises(Unsent, match=r"is at 127\.0\.0\.1"):
            outgoing.post(f"http://rebinding.test:{receiver.port}/", b"", {})
        assert receiver.heard == []


def test_what_was_checked_is_connected_to(monkeypatch):
    """The name is not looked up again, and no proxy of the environment is used."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with receiving() as receiver:
        outgoing = Outgoing(
            allow_private=True, resolve=lambda _name, _port: ["127.0.0.1"]
        )

        reply = outgoing.post(f"http://no-such.invalid:{receiver.port}/a?b", b"c", {})

    assert reply.status == 204
    (heard,) = receiver.heard
    assert heard.path == "/a?b"
    assert heard.headers["host"] == f"no-such.invalid:{receiver.port}"


def test_the_next_address_of_a_name_is_tried():
    with receiving() as receiver:
        outgoing = Outgoing(
            allow_private=True, resolve=lambda _name, _port: ["::1", "127.0.0.1"]
        )
        assert outgoing.post(receiver.url, b"", {}).status == 204


def test_a_name_that_is_not_there_is_told_of():
    with pytest.raises(Unsent, match=r"The name no-such\.invalid cannot be looked up"):
        Outgoing().post("https://no-such.invalid/", b"", {})


def test_the_certificate_is_checked_for_the_name(tmp_path):
    def resolve(_name, _port):
        return ["127.0.0.1"]

    with receiving(tls=True) as receiver:
        trusted = trusting(tmp_path)
        outgoing = Outgoing(allow_private=True, resolve=resolve, trusted=trusted)
        at = f"localhost:{receiver.port}/"
        assert outgoing.post(f"https://{at}", b"", {}).status == 204
        with pytest.raises(Unsent, match="Hostname mismatch"):
            outgoing.post(f"https://other.{at}", b"", {})
        with pytest.raises(Unsent, match="self-signed certificate"):
            Outgoing(allow_private=True, resolve=resolve).post(f"https://{at}", b"", {})
    assert len(receiver.heard) == 1
