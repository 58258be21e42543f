"""The second factor: codes of an authenticator app (TOTP, RFC 6238), each good for once."""

from __future__ import annotations

from datetime import datetime

import pyotp
from pyotp.utils import strings_equal

ISSUER = "Zorgbrug"
WINDOW = 1  # steps of 30 seconds that a phone's clock may be off


def new_secret() -> str:
    """Return a secret to share with the app."""
    return pyotp.random_base32()


def secret_uri(secret: str, email: str) -> str:
    """Return the otpauth:// address that the app takes in, usually as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def matching_step(secret: str, code: str, now: datetime, last_step: int | None) -> int | None:
    """Return the time step whose code this is, or None.

    Args:
        secret: Shared with the app, in base32.
        code: What the person typed; spaces do not matter.
        now: The present time.
        last_step: The last step that was used; its code and those before it count no more.
    """
    totp = pyotp.TOTP(secret)
    present = totp.timecode(now)
    typed = "".join(code.split())
    for step in range(present - WINDOW, present + WINDOW + 1):
        if strings_equal(typed, totp.generate_otp(step)) and (last_step is None or step > last_step):
            return step
    return None
