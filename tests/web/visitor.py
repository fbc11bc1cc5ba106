"""A browser without a screen: reads the forms of a page, fills them in, sends them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

HTML = {"Accept": "text/html"}


@dataclass
class Form:
    """One form, with what stands in it."""

    method: str
    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)
    """Label, name and value of each."""

    def holds(self, button: str) -> bool:
        return button in [label for label, _, _ in self.buttons]

    def sent(self, button: str, typed: dict[str, Any]) -> dict[str, Any]:
        """Return what a browser sends if this button is pressed."""
        _, name, value = next(one for one in self.buttons if one[0] == button)
        unknown = typed.keys() - self.fields.keys()
        assert not unknown, f"The form has no {unknown}, only {sorted(self.fields)}."
        pressed = {name: value} if name else {}
        filled = {key: values for key, values in self.fields.items() if values}
        return filled | typed | pressed


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.elsewhere: dict[str, Form] = {}
        self._form: Form | None = None
        self._writing: str | None = None
        self._button: Form | None = None
        self._select = self._text = ""
        self._pressed = ("", "")

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(given.get("method", "get"), given["action"])
            self.forms.append(self._form)
            self.elsewhere[given.get("id", "")] = self._form
        form = self._form
        if "form" in given:  # it stands outside of its form
            form = self.elsewhere[given["form"]]
        if form is not None:
            self._control(tag, given, form)

    def _control(self, tag: str, given: dict[str, str], form: Form) -> None:
        if tag == "input":
            values = form.fields.setdefault(given["name"], [])
            is_tick = given.get("type") in {"checkbox", "radio"}
            if not is_tick or "checked" in given:
                values.append(given.get("value", ""))
        elif tag == "select":
            self._select = given["name"]
            form.fields[self._select] = []
        elif tag == "option" and self._select:
            values = form.fields[self._select]
            if "selected" in given or not values:
                values[:] = [given.get("value", "")]
        elif tag == "textarea":
            self._writing, self._text = given["name"], ""
        elif tag == "button":
            self._button, self._text = form, ""
            self._pressed = given.get("name", ""), given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea" and self._writing and self._form:
            self._form.fields[self._writing] = [self._text]
            self._writing = None
        elif tag == "button" and self._button:
            label = " ".join(self._text.split())
            self._button.buttons.append((label, *self._pressed))
            self._button = None

    def handle_data(self, data: str) -> None:
        if self._writing or self._button:
            self._text += data


@dataclass
class Visitor:
    """Somebody who looks at pages, signed in or not."""

    service: Any
    page: Any = None
    sent: tuple[str, dict[str, Any]] = ("", {})
    """Where the last form went, and what stood in it."""

    def sign_in(self, role: str) -> "Visitor":
        self.service.client.cookies.clear()
        answer = self.service.client.post(
            "/sign-in", data={"token": self.service.tokens[role], "to": "/"}
        )
        assert answer.status_code == 200
        return self

    def open(self, path: str) -> "Visitor":
        self.page = self.service.client.get(path, headers=HTML)
        return self

    def forms(self) -> list[Form]:
        reader = _Reader()
        reader.feed(self.page.text)
        return reader.forms

    def buttons(self) -> list[str]:
        """Return the labels of the buttons in the content of the page."""
        labels = (label for form in self.forms() for label, _, _ in form.buttons)
        return [label for label in labels if label != "Sign out"]

    def press(self, button: str, **typed: Any) -> "Visitor":
        """Fill in the form that has this button, and send it as a browser does."""
        form = next(one for one in self.forms() if one.holds(button))
        self.sent = (form.action, form.sent(button, typed))
        if form.method == "get":
            path, fields = self.sent
            self.page = self.service.client.get(path, params=fields, headers=HTML)
            return self
        return self.press_again()

    def press_again(self) -> "Visitor":
        """Send the last form once more, as a second click does."""
        path, fields = self.sent
        self.page = self.service.client.post(path, data=fields, headers=HTML)
        return self

    @property
    def status(self) -> int:
        return int(self.page.status_code)

    @property
    def path(self) -> str:
        return str(self.page.url.path)

    @property
    def text(self) -> str:
        """The words of the page, without its tags."""
        reader = _Words()
        reader.feed(self.page.text)
        return " ".join(" ".join(reader.words).split())


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)
