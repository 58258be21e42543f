"""The console of the staff: queue, conversation, figures and accounts, rendered on the server."""
