"""What is asked over HTTP; each entry point answers, and never raises."""
