"""Errors of the HTTP interfaces as problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException


class Problem(Exception):
    """An error that the client is told about.

    `code` names the kind of problem and becomes the document's `type` (`/problems/<code>`); `detail` is a sentence
    for the person at the other end.
    """

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members

    def response(self) -> JSONResponse:
        """The problem document."""
        body = {
            "type": f"/problems/{self.code}",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            **self.members,
        }
        return JSONResponse(body, status_code=self.status, headers=self.headers, media_type="application/problem+json")


def install(app: FastAPI, *, invalid: str, failed: str) -> None:
    """Make an app answer every error with a problem document.

    Args:
        app: the application.
        invalid: sentence for a request that does not have the right form.
        failed: sentence for an error of ours.
    """

    @app.exception_handler(Problem)
    async def _problem(_request: Request, error: Problem) -> JSONResponse:
        return error.response()

    @app.exception_handler(RequestValidationError)
    async def _validation(_request: Request, error: RequestValidationError) -> JSONResponse:
        # Only where and why: the input itself may hold personal data.
        errors = [{"loc": [str(part) for part in entry["loc"]], "type": entry["type"]} for entry in error.errors()]
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", invalid, errors=errors).response()

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        status = HTTPStatus(error.status_code)
        code = status.phrase.lower().replace(" ", "-")
        return Problem(status, code, invalid if status < 500 else failed, headers=error.headers).response()

    @app.exception_handler(Exception)
    async def _failure(_request: Request, _error: Exception) -> JSONResponse:
        return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", failed).response()
