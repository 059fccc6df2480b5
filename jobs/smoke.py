"""The smoke job."""
