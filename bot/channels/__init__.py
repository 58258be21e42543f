"""The ways a person can reach the bot: each channel carries messages in and replies out, and decides nothing."""
