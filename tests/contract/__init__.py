"""What is published fits what is declared, and stays readable."""
