"""The pages and acts around cases: the queue, one case, and the conversations that somebody may step into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cases.desks import Desks
from bot.cases.work import CLOSE_REASONS, LONGEST_REPLY, CaseNotFound, CaseProblem, CaseWork, may_see
from bot.channels.base import Channel
from bot.console.guard import PATH, Guard, field
from bot.console.library import ConsoleLibrary
from bot.console.pages import Pages
from bot.console.translation import TranslationFailed, Translator
from bot.console.views import STATUSES, CaseView, Filters, read_active, read_case, read_queue
from bot.conversations.addresses import address_of
from bot.staff.accounts import Accounts
from bot.staff.audit import note
from bot.staff.roles import Member
from bot.store.case_models import Attachment, Case
from bot.store.engine import Store
from bot.store.models import Conversation
from bot.store.sealing import Sealer
from knowledge.locales import Locales
from knowledge.replies import Reply

LONGEST_PAGE = 10_000
# PostgreSQL's integer holds no more.
RowId = Annotated[int, Path(ge=1, le=2**31 - 1)]


@dataclass(frozen=True)
class CaseRooms:
    """What these routes work with."""

    store: Store
    work: CaseWork
    desks: Desks
    accounts: Accounts
    library: ConsoleLibrary
    locales: Locales
    channels: Mapping[str, Channel]
    sealer: Sealer
    translator: Translator | None


def make_case_routes(rooms: CaseRooms, guard: Guard, pages: Pages) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix=PATH)
    staff = Depends(guard.needs(lambda member: member.may_see_cases))
    supervisor = Depends(guard.needs(lambda member: member.may_supervise))

    @router.get("/", response_class=HTMLResponse)
    async def queue(request: Request, member: Member = staff) -> Response:
        return await queue_page(request, member, "queue.html")

    @router.get("/queue", response_class=HTMLResponse)
    async def queue_part(request: Request, member: Member = staff) -> Response:
        return await queue_page(request, member, "queue_part.html")

    async def queue_page(request: Request, member: Member, template: str) -> Response:
        filters, now = filters_of(request), datetime.now(UTC)
        page = await rooms.store.read(lambda session: read_queue(session, member, filters, rooms.desks.common, now))
        desks = [
            item for item in rooms.desks.ids if member.sees_all_desks or item in {*member.desks, rooms.desks.common}
        ]
        return pages.render(
            request, template, page=page, desks=desks, desk_name=rooms.desks.name, statuses=STATUSES,
            languages=rooms.locales.languages, topic_title=rooms.library.title,
        )  # fmt: skip

    @router.get("/cases/{case_id}", response_class=HTMLResponse)
    async def case(request: Request, case_id: RowId, member: Member = staff) -> Response:
        view = await look(case_id, member, is_first=True)
        colleagues = [item for item in await rooms.accounts.colleagues(view.case.desk) if item.id != member.id]
        return show(request, member, "case.html", view, colleagues=colleagues)

    @router.get("/cases/{case_id}/part", response_class=HTMLResponse)
    async def case_part(request: Request, case_id: RowId, member: Member = staff) -> Response:
        return show(request, member, "case_part.html", await look(case_id, member, is_first=False))

    def show(request: Request, member: Member, template: str, view: CaseView, **values: Any) -> Response:
        today = datetime.now(rooms.desks.zone).date()
        return pages.render(
            request, template, view=view, case=view.case, is_mine=view.case.assigned_to == member.id,
            desks=rooms.desks.ids, desk_name=rooms.desks.name, articles=rooms.library.choices(member.ui_lang, today),
            ready=rooms.library.ready_texts, reasons=CLOSE_REASONS, topic_title=rooms.library.title,
            can_translate=rooms.translator is not None, **values,
        )  # fmt: skip

    async def look(case_id: int, member: Member, *, is_first: bool) -> CaseView:
        async def read(session: AsyncSession) -> CaseView:
            found = await session.get(Case, case_id)
            if found is None or not may_see(member, found, rooms.desks.common):
                raise CaseNotFound
            if is_first:
                note(session, "looked", staff_id=member.id, case_id=case_id, now=datetime.now(UTC))
            return await read_case(session, found)

        return await (rooms.store.run(read) if is_first else rooms.store.read(read))

    @router.post("/cases/{case_id}/{act}")
    async def act_on(request: Request, case_id: RowId, act: str, member: Member = staff) -> Response:
        form = await request.form()
        if act == "claim":
            await rooms.work.claim(case_id, member)
        elif act == "take":
            await rooms.work.take_from(case_id, member)
        elif act == "release":
            await rooms.work.release(case_id, member)
        elif act == "transfer":
            colleague = field(form, "colleague")
            is_number = colleague.isascii() and colleague.isdigit() and len(colleague) < 10
            await rooms.work.transfer(case_id, member, field(form, "desk"), int(colleague) if is_number else None)
        elif act == "close":
            await rooms.work.close(case_id, member, field(form, "reason"))
        elif act == "note":
            await rooms.work.add_note(case_id, member, field(form, "text"))
        elif act in ("reply", "article", "ready"):
            view = await look(case_id, member, is_first=False)
            reply = compose(
                act, view.case, field(form, "text", LONGEST_REPLY + 1), field(form, "name"), field(form, "lang")
            )
            await rooms.work.reply(case_id, member, reply, {"reply": "replied"}.get(act, "inserted"))
        else:
            raise CaseNotFound
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"done": True})
        return RedirectResponse(f"{PATH}/cases/{case_id}" if act != "release" else f"{PATH}/", 303)

    def compose(act: str, case: Case, text: str, name: str, lang: str) -> Reply:
        shown = lang if lang in rooms.locales.languages else rooms.locales.nearest(case.lang)
        if act == "reply":
            if not text.strip() or len(text) > LONGEST_REPLY:
                raise CaseProblem("problem.text_length")
            return Reply(kind="handoff", lang=shown, text=text.strip())
        today = datetime.now(rooms.desks.zone).date()
        found = (
            rooms.library.article(name, case.lang, case.place, today)
            if act == "article"
            else rooms.library.ready(name, case.lang)
        )
        if found is None:
            raise CaseProblem("problem.no_text")
        return found

    @router.get("/cases/{case_id}/preview/{kind}/{name}", response_class=HTMLResponse)
    async def preview(request: Request, case_id: RowId, kind: str, name: str, member: Member = staff) -> Response:
        view = await look(case_id, member, is_first=False)
        today = datetime.now(rooms.desks.zone).date()
        if kind == "article":
            theirs = rooms.library.article(name, view.case.lang, view.case.place, today)
            own = rooms.library.article(name, member.ui_lang, view.case.place, today)
        else:
            theirs, own = rooms.library.ready(name, view.case.lang), rooms.library.ready(name, member.ui_lang)
        if theirs is None or own is None:
            raise CaseProblem("problem.no_text")
        return pages.render(request, "preview.html", own=own, theirs=theirs, kind=kind, name=name, case=view.case)

    @router.get("/cases/{case_id}/photos/{inbox_id}")
    async def photo(case_id: RowId, inbox_id: RowId, member: Member = staff) -> Response:
        await look(case_id, member, is_first=False)
        found = await rooms.store.read(lambda session: session.get(Attachment, inbox_id))
        if found is None or found.case_id != case_id:
            raise CaseNotFound
        headers = {"Cache-Control": "no-store", "Content-Disposition": "inline"}
        return Response(rooms.sealer.unseal_bytes(found.sealed), media_type=found.media_type, headers=headers)

    @router.post("/cases/{case_id}/signs/typing", status_code=204)
    async def typing(case_id: RowId, member: Member = staff) -> Response:
        view = await look(case_id, member, is_first=False)
        if view.case.assigned_to == member.id and view.case.conversation_id:
            conversation_id = view.case.conversation_id
            found = await rooms.store.read(lambda session: session.get(Conversation, conversation_id))
            channel = rooms.channels.get(found.channel) if found else None
            if found is not None and channel is not None:
                await channel.show_typing(address_of(rooms.sealer, found))
        return Response(status_code=204)

    @router.post("/cases/{case_id}/signs/translate")
    async def translate(request: Request, case_id: RowId, member: Member = staff) -> JSONResponse:
        view = await look(case_id, member, is_first=False)
        form = await request.form()
        source, target = field(form, "source", 2), field(form, "target", 2)
        if rooms.translator is None or not {source, target} <= {*rooms.locales.languages}:
            raise CaseProblem("problem.no_translation")
        try:
            text = await rooms.translator.translate(field(form, "text", LONGEST_REPLY), source, target)
        except TranslationFailed:
            raise CaseProblem("problem.no_translation") from None
        return JSONResponse({"text": text, "case": view.case.id})

    @router.get("/conversations", response_class=HTMLResponse)
    async def conversations(request: Request, member: Member = supervisor) -> Response:
        found = await rooms.store.read(lambda session: read_active(session, datetime.now(UTC)))
        return pages.render(request, "conversations.html", conversations=found, topic_title=rooms.library.title)

    @router.post("/conversations/{conversation}/step-in")
    async def step_in(conversation: str, member: Member = supervisor) -> Response:
        case_id = await rooms.work.step_in(conversation[:64], member)
        return RedirectResponse(f"{PATH}/cases/{case_id}", 303)

    return router


def filters_of(request: Request) -> Filters:
    """Return the filters in an address; what makes no sense counts as not set."""
    query = request.query_params
    age, page = query.get("age", ""), query.get("page", "")
    return Filters(
        status=query["status"] if query.get("status") in STATUSES else STATUSES[0],
        desk=query.get("desk", "")[:64],
        lang=query.get("lang", "")[:35],
        is_urgent=query.get("urgent") == "1",
        oldest_minutes=_number(age, 0),
        page=max(1, _number(page, 1)),
    )


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else default
