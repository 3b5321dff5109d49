"""The deployment: its files, plans of it by Terraform itself, and what it says to operators."""
