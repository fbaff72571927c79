"""What puts the portal into production: compose file, image, upgrades, backups."""
