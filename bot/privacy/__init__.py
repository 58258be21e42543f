"""What keeps people's identity out of the store, the console and the logs."""
