"""Meta's error codes as `DeliveryFailed`: what to try again, when, and what never.

Source: Meta, "Cloud API error codes". A code that we do not know is tried again: a reply must not be lost to a guess.
"""

from __future__ import annotations

import logging

import httpx
from pywa_async import errors

from bot.channels.base import DeliveryFailed, WindowClosed

logger = logging.getLogger(__name__)

# What a call of pywa raises: a refusal, no network, or an answer that is not what Meta documents.
GRAPH_ERRORS = (errors.WhatsAppError, httpx.HTTPError, ValueError, KeyError, TypeError, IndexError, AttributeError)

PAIR_RATE_PAUSE_SECONDS = 6.0  # to one person: one message in 6 seconds, after a burst
RATE_PAUSE_SECONDS = 30.0
ACCOUNT_PAUSE_SECONDS = 300.0  # a person of the organisation has to mend it first

_UNDELIVERABLE = (
    errors.MessageUndeliverable,
    errors.RecipientNotInAllowedList,
    errors.RecipientCannotBeSender,
    errors.AccountRestrictedFromCountry,
    errors.BSUIDRecipientNotSupported,
)
_MALFORMED = (errors.InvalidParameter, errors.MissingRequiredParameter, errors.UnsupportedMessageType)
_ACCOUNT_TROUBLE = (
    errors.AuthorizationError,
    errors.AccessDenied,
    errors.TemporarilyBlocked,
    errors.AccountLocked,
    errors.BusinessPaymentIssue,
    errors.IncorrectCertificate,
    errors.PhoneNumberDisplayNameNotApproved,
)
_BAD_REQUEST = 100
_NO_SUCH_OBJECT = 33  # subcode of 100: the phone number id is wrong, which says nothing about the message
_TEMPLATE_CODES = range(132000, 133000)


def failure_of(error: Exception) -> DeliveryFailed:
    """Return what an error means for the reply. Never Meta's own sentence: it may hold a phone number."""
    if not isinstance(error, errors.WhatsAppError):
        what = "WhatsApp is out of reach" if isinstance(error, httpx.HTTPError) else "WhatsApp answered strangely"
        return DeliveryFailed(f"{what}: {type(error).__name__}")
    what = f"{error.code} {type(error).__name__}"
    if isinstance(error, errors.ReEngagementMessage):
        return WindowClosed(f"the person has to write first ({what})")
    if isinstance(error, errors.TooManyMessages):
        return DeliveryFailed(f"too many messages to one person ({what})", retry_after_seconds=PAIR_RATE_PAUSE_SECONDS)
    if isinstance(error, errors.ThrottlingError):
        return DeliveryFailed(f"WhatsApp asked to wait ({what})", retry_after_seconds=RATE_PAUSE_SECONDS)
    if isinstance(error, _UNDELIVERABLE):
        return DeliveryFailed(f"the person cannot be reached ({what})", is_permanent=True)
    if is_malformed(error):
        return DeliveryFailed(f"WhatsApp refused the message ({what})", is_permanent=True)
    if isinstance(error, errors.ExpiredAccessToken):
        logger.error("whatsapp_token_refused: Meta does not take ZORGBRUG_WHATSAPP_TOKEN; see docs/whatsapp.md")
    if isinstance(error, _ACCOUNT_TROUBLE):
        logger.error("whatsapp_account_trouble", extra={"code": error.code, "error": type(error).__name__})
        return DeliveryFailed(f"WhatsApp refuses this account ({what})", retry_after_seconds=ACCOUNT_PAUSE_SECONDS)
    return DeliveryFailed(f"WhatsApp failed ({what})")


def is_malformed(error: Exception) -> bool:
    """Say whether WhatsApp objects to the form of the message, such as a title that it counts as too long."""
    if isinstance(error, errors.WhatsAppError) and error.code == _BAD_REQUEST:
        return error.subcode != _NO_SUCH_OBJECT
    return isinstance(error, _MALFORMED)


def is_about_the_template(error: Exception) -> bool:
    """Say whether the template itself is the trouble: not there in this language, paused, with other parameters."""
    return isinstance(error, errors.WhatsAppError) and error.code in _TEMPLATE_CODES
