"""What is right for a document, a passage and a search; knows no technology."""
