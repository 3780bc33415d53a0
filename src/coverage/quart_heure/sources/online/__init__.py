"""Online: the only room that talks to servers."""
