"""The rasa-sdk actions: what Zorgbrug does with an intent. `actions.server` runs them."""
