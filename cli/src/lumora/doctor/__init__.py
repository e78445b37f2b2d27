"""The checks of `lumora doctor`, one file for each thing that is looked at. Nothing here changes anything."""
