"""What is done with accounts: making them, signing in and out, knowing who asks."""

from __future__ import annotations

from datetime import timedelta

from bot.clock import Clock
from bot.errors import Conflict, InvalidInput, NotFound, TooManyRequests, Unauthenticated
from bot.people import passwords, repository
from bot.people.model import (
    LONGEST_PASSWORD,
    OF_UNITS,
    SIGNED_IN_FOR,
    Account,
    Role,
    check_password,
    checked_username,
    is_signed_in,
    locked_until,
)
from bot.people.tables import AccountRow, SignInRow
from bot.store import Store

_SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is known when somebody was last seen; finer would write at every request."""


class PeopleService:
    """Accounts and sign-ins. Safe to use from several threads."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(
        self,
        username: str,
        password: str,
        role: Role,
        *,
        display_name: str = "",
        department: str | None = None,
        actor: str = "system",
        demo: bool = False,
    ) -> Account:
        """A new account. Raises InvalidInput (username, password, nobody's clerk or head), Conflict (taken)."""
        username = checked_username(username)
        check_password(password, username)
        if role in OF_UNITS and not department:
            raise InvalidInput(
                "经办人、负责人的账号要写明所属单位。", code="department_missing", remedy="请填写单位名称。"
            )
        password_hash = passwords.hashed(password)
        with self._store.write() as work:
            if repository.by_username(work.session, username) is not None:
                raise Conflict(f"用户名 {username} 已有人使用。", code="username_taken", remedy="请换一个用户名。")
            row = AccountRow(
                username=username,
                display_name=display_name or username,
                role=role.value,
                department=department,
                password_hash=password_hash,
                active=True,
                demo=demo,
                failures=0,
                created_at=self._clock.now(),
            )
            work.session.add(row)
            work.session.flush()
            work.audit(actor, "account.create", username, {"role": role, "department": department})
            return _account(row)

    def login(self, username: str, password: str) -> tuple[str, Account]:
        """Signs in: the token for the browser's cookie, and who it is.

        Raises Unauthenticated, the same for an unknown name as for a wrong password, and TooManyRequests while the
        account is locked after repeated failures.
        """
        now = self._clock.now()
        name = username.strip().lower()[:40]
        with self._store.read() as session:
            row = repository.by_username(session, name)
        if row is not None and row.locked_until is not None and now < row.locked_until:
            raise TooManyRequests(
                "多次输错，账号暂时锁定。", code="account_locked", remedy="请 15 分钟后再试，或联系管理员。"
            )
        # hashing takes its time: outside of any transaction
        right = len(password) <= LONGEST_PASSWORD and passwords.is_right(password, row.password_hash if row else None)
        if row is None or not right or not row.active:
            if row is not None:
                self._count_failure(name)
            raise Unauthenticated("用户名或口令不对。", code="login_failed", remedy="请检查后再输一次。")
        token = passwords.random_token()
        with self._store.write() as work:
            fresh = repository.by_username(work.session, name, lock=True)
            if fresh is None or not fresh.active:
                raise Unauthenticated("用户名或口令不对。", code="login_failed", remedy="请检查后再输一次。")
            fresh.failures, fresh.locked_until = 0, None
            if passwords.needs_renewal(fresh.password_hash):
                fresh.password_hash = passwords.hashed(password)
            repository.remove_sign_ins_before(work.session, now - SIGNED_IN_FOR)
            work.session.add(
                SignInRow(digest=passwords.digest(token), account_id=fresh.id, created_at=now, seen_at=now)
            )
            work.audit(name, "account.login", name)
            return token, _account(fresh)

    def authenticate(self, token: str) -> Account | None:
        """Whose sign-in ``token`` is; None where it is unknown, has run out, or the account was closed."""
        now = self._clock.now()
        digest = passwords.digest(token)
        with self._store.read() as session:
            found = repository.sign_in(session, digest)
        if found is None:
            return None
        sign_in, account = found
        if not account.active or not is_signed_in(sign_in.created_at, sign_in.seen_at, now):
            return None
        if now - sign_in.seen_at >= _SEEN_EVERY:
            with self._store.write() as work:
                current = repository.sign_in(work.session, digest)
                if current is None:
                    return None
                current[0].seen_at = now
        return _account(account)

    def logout(self, token: str) -> None:
        """Ends the sign-in; an unknown token is no error."""
        with self._store.write() as work:
            repository.remove_sign_in(work.session, passwords.digest(token))

    def change_password(self, username: str, password: str, *, actor: str) -> None:
        """Sets a new password and ends every sign-in of the account. Raises InvalidInput, NotFound."""
        username = checked_username(username)
        check_password(password, username)
        password_hash = passwords.hashed(password)
        with self._store.write() as work:
            row = _known(repository.by_username(work.session, username, lock=True), username)
            row.password_hash, row.failures, row.locked_until = password_hash, 0, None
            repository.remove_sign_ins_of(work.session, row.id)
            work.audit(actor, "account.password", username)

    def set_active(self, username: str, active: bool, *, actor: str) -> None:
        """Closes or reopens an account; closing ends its sign-ins. Raises NotFound."""
        with self._store.write() as work:
            row = _known(repository.by_username(work.session, username, lock=True), username)
            row.active = active
            if not active:
                repository.remove_sign_ins_of(work.session, row.id)
            work.audit(actor, "account.open" if active else "account.close", username)

    def accounts(self) -> list[Account]:
        """Every account, by username."""
        with self._store.read() as session:
            return [_account(row) for row in repository.all_accounts(session)]

    def demo_accounts(self) -> list[Account]:
        """The active demonstration accounts; production refuses to start with any."""
        with self._store.read() as session:
            return [_account(row) for row in repository.demo_accounts(session)]

    def _count_failure(self, username: str) -> None:
        now = self._clock.now()
        with self._store.write() as work:
            row = repository.by_username(work.session, username, lock=True)
            if row is None:
                return
            row.failures += 1
            row.locked_until = locked_until(row.failures, now)
            if row.locked_until is not None:
                row.failures = 0
                work.audit("system", "account.lock", username, {"until": row.locked_until.isoformat()})


def _known(row: AccountRow | None, username: str) -> AccountRow:
    if row is None:
        raise NotFound(f"没有用户 {username}。", code="account_unknown", remedy="请检查用户名。")
    return row


def _account(row: AccountRow) -> Account:
    return Account(
        id=row.id,
        username=row.username,
        display_name=row.display_name,
        role=Role(row.role),
        department=row.department,
        active=row.active,
        created_at=row.created_at,
    )
