"""What is done beside requests: runs, mail, webhooks, backups, housekeeping."""
