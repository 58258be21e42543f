"""What somebody who is logged in changes of their own account."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.audit import note
from bot.staff.base import AccountWork
from bot.staff.errors import AccountProblem, LoginLocked, WrongPassword
from bot.staff.passwords import check_password
from bot.staff.records import count_failure, end_sessions, forgive, tally_of
from bot.staff.second_factor import matching_step, new_secret, secret_uri
from bot.store.staff_models import Staff

UI_LANGS = ("nl", "en")


class OwnAccount(AccountWork):
    """The part of `Accounts` for one's own password, second factor and language."""

    async def begin_totp(self, member_id: int) -> str:
        """Return the otpauth:// address of a new secret, which is in force once a code of it has come.

        Raises:
            AccountProblem: The second factor is on already, so this would take the app in use out of force.
        """
        secret, now = new_secret(), self._now()

        async def begin(session: AsyncSession) -> str:
            staff = await _get(session, member_id)
            if staff.is_totp_on:
                raise AccountProblem("totp_on", "The second factor is on already. An administrator can reset it.")
            staff.totp_sealed, staff.totp_last_step = self._sealer.seal(secret), None
            note(session, "totp_begun", staff_id=staff.id, now=now)
            return staff.email

        return secret_uri(secret, await self._store.run(begin))

    async def finish_totp(self, member_id: int, code: str, keep_token: str | None = None) -> bool:
        """Put the second factor in force when the code is right.

        Given the token of the session at hand, it ends the others: they came in by the password alone.
        """
        now = self._now()

        async def finish(session: AsyncSession) -> bool:
            staff = await _get(session, member_id)
            if staff.is_totp_on or staff.totp_sealed is None:
                return False
            step = matching_step(self._sealer.unseal(staff.totp_sealed), code, now, staff.totp_last_step)
            if step is None:
                return False
            staff.is_totp_on, staff.totp_last_step = True, step
            if keep_token is not None:
                await end_sessions(session, staff.id, but=keep_token)
            note(session, "totp_on", staff_id=staff.id, now=now)
            return True

        return await self._store.run(finish)

    async def change_password(self, member_id: int, old: str, new: str, keep_token: str) -> None:
        """Set another password and log the person out everywhere else.

        Raises:
            WrongPassword: The old one is not right (a LoginRefused); it counts as a failed login.
            LoginLocked: Too many wrong ones.
            WeakPassword: The new one is easily guessed.
        """
        account = await self._store.read(lambda session: _get(session, member_id, is_locking=False))
        if until := tally_of(account).lock_at(self._now()):
            raise LoginLocked(until)
        stored = account.password_hash
        is_right = await self._passwords.is_right(stored, old)
        if is_right:
            check_password(new, account.email, account.name)
        made = await self._passwords.hash(new) if is_right else None
        now = self._now()

        async def change(session: AsyncSession) -> datetime | bool:
            staff = await _get(session, member_id)
            if until := tally_of(staff).lock_at(now):
                return until
            if made is None or staff.password_hash != stored:
                await count_failure(session, staff, "password", self._policy, now)
                return False
            staff.password_hash = made
            forgive(staff)
            await end_sessions(session, staff.id, but=keep_token)
            note(session, "password_set", staff_id=staff.id, now=now)
            return True

        outcome = await self._store.run(change)
        if isinstance(outcome, datetime):
            raise LoginLocked(outcome)
        if not outcome:
            raise WrongPassword

    async def set_ui_lang(self, member_id: int, lang: str) -> None:
        """Set the language of the console for a person.

        Raises:
            AccountProblem: The console does not have this language.
        """
        now = self._now()
        if lang not in UI_LANGS:
            raise AccountProblem("ui_lang", f"The console speaks {' and '.join(UI_LANGS)} only.")

        async def change(session: AsyncSession) -> None:
            staff = await _get(session, member_id)
            staff.ui_lang = lang
            note(session, "ui_lang_set", staff_id=staff.id, now=now, lang=lang)

        await self._store.run(change)


async def _get(session: AsyncSession, member_id: int, *, is_locking: bool = True) -> Staff:
    staff = await session.get(Staff, member_id, with_for_update=is_locking)
    if staff is None or staff.is_disabled:
        raise AccountProblem("unknown", "There is no such account (any more).")
    return staff
