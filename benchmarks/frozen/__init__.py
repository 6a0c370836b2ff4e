"""Work on frozen parts of encoders that is done once."""
