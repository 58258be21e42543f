"""The one template that we send: it says that an answer is waiting and asks the person to write.

An organisation has it approved by Meta in each language; see docs/whatsapp.md. It has no parameters, so that nothing
of a conversation is in it.
"""

from __future__ import annotations

import logging

from pywa_async.client import WhatsApp
from pywa_async.types.templates import TemplateLanguage

from bot.channels.whatsapp_errors import GRAPH_ERRORS, failure_of, is_about_the_template

logger = logging.getLogger(__name__)

FALLBACK_LANGUAGES = ("en", "nl")
_LANGUAGES = {language.value: language for language in TemplateLanguage}


async def send_template(client: WhatsApp, address: str, name: str, lang: str) -> None:
    """Send the template in the person's language, else in English, else in Dutch.

    What only the organisation can mend (it is approved in none of them, or paused) is logged and not an error: the
    reply waits all the same.

    Raises:
        DeliveryFailed: It did not go out, and may at another attempt.
    """
    for code in dict.fromkeys((lang, *FALLBACK_LANGUAGES)):
        if code not in _LANGUAGES:
            continue
        try:
            await client.send_template(address, name, _LANGUAGES[code])
            return
        except GRAPH_ERRORS as error:
            failure = failure_of(error)
            if is_about_the_template(error):
                logger.error("whatsapp_template_refused", extra={"reason": str(failure), "lang": code})
            elif failure.is_permanent:
                logger.warning("whatsapp_template_undeliverable", extra={"reason": str(failure)})
                return
            else:
                raise failure from error
