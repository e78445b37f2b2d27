"""The demo business: Cairnway, an invented shop for outdoor gear, and the documents it answers from."""
