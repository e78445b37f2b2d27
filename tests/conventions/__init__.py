"""The rules of CONTRIBUTING.md that a program can check, one file each."""
