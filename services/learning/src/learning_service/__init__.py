"""What was learned, proved, adopted, taken back."""
