"""What each kind of build task does, and the driver that walks the segments."""
