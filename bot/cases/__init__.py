"""Cases: a conversation that a person of the staff has or is asked to have, from opening to end."""
