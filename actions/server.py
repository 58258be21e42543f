"""Run the actions as a rasa-sdk server: one process, on the loopback unless told otherwise."""

from __future__ import annotations

import logging

from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor

from actions.answer import Answer, ChooseArticle, More, ShowContact, ShowDesk
from actions.base import ReplyAction
from actions.handoff import BotHandoff, Handoff
from actions.handoff_form import AskConsent, AskLanguage, AskPlace, GivePlace, SubmitHandoff, ValidateHandoffForm
from actions.language import SetLanguage
from actions.library import Library
from actions.medical import Emergency, MedicalAdvice
from actions.privacy import DeleteData, Privacy
from actions.settings import ActionSettings
from actions.smalltalk import Smalltalk, Stop

REPLY_ACTIONS: tuple[type[ReplyAction], ...] = (
    Answer, ChooseArticle, ShowDesk, ShowContact, More, Smalltalk, Stop, SetLanguage, Privacy, DeleteData, Emergency,
    MedicalAdvice, AskLanguage, AskPlace, AskConsent, GivePlace,
)  # fmt: skip


def make_executor(library: Library, handoff: Handoff) -> ActionExecutor:
    """Return an executor that knows every action of the domain."""
    executor = ActionExecutor()
    for action in REPLY_ACTIONS:
        executor.register_action(action(library))
    executor.register_action(SubmitHandoff(library, handoff))
    executor.register_action(ValidateHandoffForm())
    return executor


def run() -> None:
    """Serve until SIGTERM. One process: a second one would hold the encoder in memory twice."""
    settings = ActionSettings()
    logging.basicConfig(level=logging.WARNING)
    library = Library(settings)
    library.warm_up()
    executor = make_executor(library, BotHandoff(settings.bot_url, settings.internal_token))
    app = create_app(executor)
    app.run(host=settings.actions_host, port=settings.actions_port, single_process=True, access_log=False, motd=False)
