"""Webhooks on the pages of organisers and administrators."""

from app.db import tables
from tests.services.webhooks.stored_webhooks import (
    URL,
    event_types,
    only,
    post_webhook,
    stored,
)
from tests.web.visitor import Visitor


def test_a_webhook_is_made_pinged_and_looked_at_on_pages(idle_service):
    service = idle_service
    database = service.client.app.state.database
    visitor = Visitor(service).sign_in("organiser").open("/webhooks")
    assert "There is no webhook yet." in visitor.text

    visitor.press("Add", url=URL, description="Website", events=["city.created"])

    (made,) = service.get("/webhooks").json()["items"]
    with database.read() as session:
        secret = session.get_one(tables.Webhook, made["id"]).secret
    assert (made["description"], made["events"]) == ("Website", ["city.created"])
    assert secret in visitor.text
    assert secret not in visitor.open(f"/webhooks/{made['id']}").text
    visitor.press("Send a ping").press_again()
    assert visitor.path == f"/webhooks/{made['id']}"
    assert event_types(database) == ["webhook.ping"]
    visitor.press("Switch it off")
    assert "not sent: it was off" in visitor.text
    visitor.press("Switch it on")
    visitor.press(f"Send again {only(database).event}")
    assert only(database).state == "queued"
    visitor.press("Show", state="failed")
    assert "There is no delivery in this state." in visitor.text


def test_a_new_secret_is_not_made_twice_by_two_clicks(idle_service):
    service = idle_service
    database = service.client.app.state.database
    webhook = post_webhook(service).json()["id"]
    visitor = Visitor(service).sign_in("administrator").open(f"/webhooks/{webhook}")

    visitor.press("Make a new secret")
    once = stored(database, webhook).secret
    assert once in visitor.text
    visitor.press_again()

    assert visitor.status == 412
    assert stored(database, webhook).secret == once


def test_a_webhook_is_deleted_on_its_page_by_whoever_is_sure(idle_service):
    service = idle_service
    webhook = post_webhook(service).json()["id"]
    visitor = Visitor(service).sign_in("organiser").open(f"/webhooks/{webhook}")

    visitor.press("Delete it")
    assert visitor.status == 422
    visitor.press("Delete it", sure="yes")

    assert visitor.path == "/webhooks"
    assert service.get("/webhooks").json()["items"] == []


def test_what_the_form_of_a_webhook_is_refused_for_is_told_in_it(idle_service):
    visitor = Visitor(idle_service).sign_in("organiser").open("/webhooks")

    visitor.press("Add", url="http://hooks.example.org/", description="Mine")

    assert visitor.status == 422
    assert "The URL must begin with https://." in visitor.text
    assert 'value="http://hooks.example.org/"' in visitor.page.text
    visitor.sign_in("officer").open("/webhooks")
    assert visitor.status == 404
