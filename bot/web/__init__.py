"""The web side: the chat page, its API, the internal API, and what guards them."""
