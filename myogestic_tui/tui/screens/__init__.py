"""The four screens, the open session, and the screen of a script."""
