"""The message store: conversations, what came in, what must go out.

SQLite by default; any SQLAlchemy async URL by setting.
"""
