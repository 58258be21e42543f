"""What happens to a message: stored, checked for danger, answered, and the answer delivered.

`core` takes messages in, `inbox` has Rasa answer them, `outbox` delivers the replies. The store is the queue between
them, so that a crash at any point loses nothing.
"""
