"""Where the rooms are joined: one service from its settings."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import Scope

from bot.actions import actions_app
from bot.api import ChatApi
from bot.demo import mount_demo
from bot.dialogue import Dialogue
from bot.rasa_client import RasaTracker
from bot.replies import Replies
from bot.service import ChatService
from bot.sites import load_sites
from bot.store import ConversationStore
from core import problems
from core.accounts import AccountStore
from core.audit import AuditLog
from core.clock import Clock, SystemClock
from core.database import Database
from core.encryption import Keyring
from core.events import EventHub
from core.gate import StaffGate
from core.i18n import Phrases
from core.leases import Leases
from core.limits import Limiter
from core.metrics import MEDIA_TYPE, Metrics, RequestMetrics
from core.pending import PendingSignins
from core.sessions import SessionStore
from core.staff_pages import StaffPages, StaffRoom, core_phrases, own_entries
from core.staff_web import mount_staff_pages
from core.streams import ClosedStreams
from handover.canned_replies import read_replies
from handover.leading import leading_entries, mount_leading_pages
from handover.lists import list_entries
from handover.notice_board import NoticeBoard
from handover.workspace_page import mount_workspace_page, workspace_entries
from knowledge.service import Knowledge
from stadtbot.credential import credential
from stadtbot.observing import MeasuredRasa, observe_messages, show_knowledge, show_staffing
from stadtbot.rasa_process import RasaProcess
from stadtbot.settings import ROOT, Settings
from stadtbot.staffing import ERASED_WITH_A_CONVERSATION, Staffing

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
JOB_EVERY = dt.timedelta(seconds=30)
WIDGET = ROOT / "bot" / "widget"

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class _Scripts(StaticFiles):
    """The widget's modules, and nothing else that lies beside them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if not path.endswith(".js") or "/" in path:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return await super().get_response(path, scope)


class Stadtbot:
    """A service with everything in it."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.holder = uuid.uuid4().hex
        self.secret = settings.actions_secret.get_secret_value() if settings.actions_secret else secrets.token_hex(32)
        self.database = Database(settings.database)
        self.database.upgrade()
        self.leases = Leases(self.database, self.clock)
        keys = settings.encryption_keys.get_secret_value() if settings.encryption_keys else None
        self.keyring = Keyring.load(keys=keys, file=settings.encryption_file)
        staff = settings.staff
        self.audit = AuditLog(self.database, self.clock, lifetime=staff.audit_lifetime)
        self.accounts = AccountStore(self.database, self.clock, self.keyring, self.audit)
        self.sessions = SessionStore(
            self.database, self.clock, lifetime=staff.session_lifetime, idle=staff.session_idle
        )
        secret = settings.service_credential
        self.credential = credential(secret.get_secret_value() if secret else None, settings.credential_file)
        self.pending = PendingSignins(self.database, self.clock, self.keyring)
        self.knowledge = Knowledge(
            self.database, self.clock, city_folder=settings.city_folder, settings=settings.knowledge
        )
        self.sites = load_sites(settings.city_folder / "sites.toml")
        self.events = EventHub()
        city = self.knowledge.city
        self.callback_days = str(settings.handover.callback_life.days)
        names = {"city": city.name, "phone": city.hotline, "callback_days": self.callback_days}
        self.replies = Replies(Phrases(ROOT / "bot" / "locale"), names=names)
        texts = core_phrases()
        self.staff_texts = staff_texts = Phrases(ROOT / "handover" / "locale")
        self.staff_pages = StaffPages(
            city=city.name,
            phrases=texts,
            rooms=[StaffRoom(name="handover", templates=ROOT / "handover" / "pages", phrases=staff_texts)],
            nav=[
                *workspace_entries(staff_texts),
                *list_entries(staff_texts),
                *leading_entries(staff_texts),
                *own_entries(texts),
            ],
        )
        self.gate = StaffGate(accounts=self.accounts, sessions=self.sessions, pages=self.staff_pages)
        self.conversations = ConversationStore(
            self.database,
            self.clock,
            self.keyring,
            lifetime=settings.chat.lifetime,
            also_erased=ERASED_WITH_A_CONVERSATION,
        )
        self.notices = NoticeBoard(self.database, self.clock, self.audit, self.events, sites=self.sites)
        self.staffing = Staffing(
            database=self.database,
            clock=self.clock,
            keyring=self.keyring,
            audit=self.audit,
            events=self.events,
            leases=self.leases,
            holder=self.holder,
            knowledge=self.knowledge,
            conversations=self.conversations,
            phrases=staff_texts,
            settings=settings.handover,
        )
        self.staffing.canned_replies.import_once(read_replies(settings.city_folder))
        self.metrics = self._metrics()
        self.rasa = MeasuredRasa(settings.rasa_url or f"http://127.0.0.1:{settings.rasa_port}", metrics=self.metrics)
        self.tracker = RasaTracker(settings.rasa_database)
        self.chat = ChatService(
            store=self.conversations,
            rasa=self.rasa,
            tracker=self.tracker,
            replies=self.replies,
            events=self.events,
            clock=self.clock,
            outcomes=self.knowledge.outcomes,
            public_contacts=self.knowledge.public_contacts,
            warm=self.knowledge.warm,
            staff=self.staffing.desk,
            notices=self.notices,
        )
        self.dialogue = Dialogue(
            knowledge=self.knowledge,
            replies=self.replies,
            reachability=self.staffing.reachability,
            city=city,
            last_reply=self.conversations.last_reply,
        )

    def public_app(self) -> FastAPI:
        """The application that citizens reach."""
        app = FastAPI(title="Stadtbot", lifespan=self._lifespan, docs_url=None, redoc_url=None)
        phrase = self.replies.phrase
        problems.install(app, invalid=phrase("problem.invalid-request"), failed=phrase("problem.internal-error"))
        mount_staff_pages(
            app,
            accounts=self.accounts,
            sessions=self.sessions,
            pending=self.pending,
            audit=self.audit,
            gate=self.gate,
            pages=self.staff_pages,
            limiter=Limiter(self.settings.limits_storage),
            settings=self.settings.staff,
            client_of=_client_of,
            clock=self.clock,
        )
        api = ChatApi(
            service=self.chat,
            sites=self.sites,
            replies=self.replies,
            staff=self.staffing.desk,
            notices=self.notices,
            events=self.events,
            limiter=Limiter(self.settings.limits_storage),
            settings=self.settings.chat,
            credential=self.credential,
            client_of=_client_of,
        )
        app.include_router(api.router)
        self.staffing.install(app, chat=api, service=self.chat, gate=self.gate, replies=self.replies)
        self.staffing.show_lists(
            app, accounts=self.accounts, gate=self.gate, pages=self.staff_pages, replies=self.replies
        )
        mount_workspace_page(
            app,
            gate=self.gate,
            pages=self.staff_pages,
            phrases=self.staff_texts,
            phone=self.knowledge.city.hotline,
            sites={key: site.name for key, site in self.sites.items()},
        )
        mount_leading_pages(
            app,
            database=self.database,
            knowledge=self.knowledge,
            departments=self.staffing.departments,
            audit=self.audit,
            board=self.notices,
            sites={key: site.name for key, site in self.sites.items()},
            silenced=self._silenced,
            gate=self.gate,
            pages=self.staff_pages,
        )
        app.get("/healthz")(self.healthz)
        app.get("/readyz")(self.readyz)
        app.mount("/widget", _Scripts(directory=WIDGET), name="widget")
        city = self.knowledge.city
        mount_demo(app, city=city.name, phone=city.hotline, callback_days=self.callback_days)
        app.middleware("http")(self._guard)
        app.add_middleware(GZipMiddleware, minimum_size=1000)
        app.add_middleware(
            CORSMiddleware,
            allow_origins=sorted({origin for site in self.sites.values() for origin in site.origins}),
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
            expose_headers=["Retry-After"],
            max_age=600,
        )
        app.add_middleware(ClosedStreams)
        app.add_middleware(RequestMetrics, metrics=self.metrics)
        return app

    def loopback_app(self) -> FastAPI:
        """The application on loopback: the actions, for which Rasa shows its secret, and the metrics."""
        app = actions_app(self.dialogue, secret=self.secret)

        @app.get("/metrics")
        def metrics() -> Response:
            return Response(self.metrics.exposition(), headers={"Content-Type": MEDIA_TYPE})

        return app

    def rasa_process(self) -> RasaProcess | None:
        """The Rasa process to run beside the service, or None where Rasa runs elsewhere."""
        if self.settings.rasa_url:
            return None
        return RasaProcess(
            port=self.settings.rasa_port,
            actions_port=self.settings.actions_port,
            secret=self.secret,
            database_url=self.settings.rasa_database,
            state_folder=self.settings.state_folder,
        )

    def _silenced(self, notice: str) -> str:
        """What the bot says while it is off."""
        return self.replies.phrase("silenced", notice=notice, contact=self.staffing.reachability.contact().text)

    async def healthz(self) -> dict[str, str]:
        """The process lives."""
        return {"status": "ok"}

    async def readyz(self) -> JSONResponse:
        """Whether Rasa, index and database answer."""
        checks = {
            "rasa": await self.rasa.ready(),
            "index": self.knowledge.ready,
            "database": await self._database_answers(),
        }
        status = HTTPStatus.OK if all(checks.values()) else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse(
            {"status": "ready" if status == HTTPStatus.OK else "starting", **checks}, status_code=status
        )

    def _metrics(self) -> Metrics:
        metrics = Metrics()
        metrics.watch_database(self.database)
        observe_messages(self.database, metrics)
        show_knowledge(self.knowledge, metrics)
        show_staffing(self.staffing, metrics)
        return metrics

    async def _database_answers(self) -> bool:
        try:
            await run_in_threadpool(self.database.ping)
        except SQLAlchemyError:
            return False
        return True

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            work = (self._keep_index, self._keep_house, self.staffing.desk.tend, self.notices.watch)
            jobs = [tasks.create_task(job()) for job in work]
            yield
            for job in jobs:
                job.cancel()
        await self.rasa.close()
        self.tracker.close()
        self.database.close()

    async def _keep_index(self) -> None:
        """Build the index, then follow the catalogue's changes."""
        while True:
            try:
                await run_in_threadpool(self.knowledge.refresh)
            except Exception:  # a failed rebuild must not end the service: the old index goes on answering
                log.exception("the index could not be built")
            await asyncio.sleep(2)

    async def _keep_house(self) -> None:
        """Close idle conversations and erase expired ones, one process at a time."""
        while True:
            try:
                closed = await run_in_threadpool(self._tidy)
                for conversation_id in closed:
                    self.chat.announce_closed(conversation_id)
            except Exception:  # tried again at the next round; nothing may stay because one round failed
                log.exception("conversations could not be tidied")
            await asyncio.sleep(JOB_EVERY.total_seconds())

    def _tidy(self) -> list[str]:
        if not self.leases.acquire("tidy", holder=self.holder, span=JOB_EVERY * 2):
            return []
        for expiring in (self.sessions.expire, self.pending.expire, self.accounts.expire_links, self.audit.expire):
            expiring()
        self.accounts.erase_inactive(after=self.settings.staff.inactive_lifetime)
        self.staffing.expire()
        self.notices.store.expire()
        self.knowledge.hours_exceptions.expire()
        self.chat.erase_expired()
        self.knowledge.expire_outcomes()
        return self.chat.close_idle(self.settings.chat.idle)

    async def _guard(self, request: Request, forward: Callable[[Request], Awaitable[Response]]) -> Response:
        """Refuse huge bodies, set the security headers."""
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES or "transfer-encoding" in request.headers:
            detail = self.replies.phrase("problem.request-too-large")
            return problems.Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request-too-large", detail).response()
        response = await forward(request)
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        if request.url.path.startswith(("/api/", "/mitarbeit")):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def _client_of(request: Request) -> str:
    """The address for which a request is counted."""
    return request.client.host if request.client else ""
