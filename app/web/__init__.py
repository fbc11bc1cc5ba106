"""Pages over the same services; they work without JavaScript."""

from app.web.refusals import refusal_page, wants_page
from app.web.routes import router

__all__ = ["refusal_page", "router", "wants_page"]
