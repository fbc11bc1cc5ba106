"""Pages over the same services; they work without JavaScript."""

from app.web.answers import router as answers
from app.web.refusals import refusal_page, wants_page
from app.web.routes import router

router.include_router(answers)

__all__ = ["refusal_page", "router", "wants_page"]
