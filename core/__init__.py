"""What every server room stands on."""
