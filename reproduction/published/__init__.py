"""Figures as their authors printed them, one CSV file per table."""
