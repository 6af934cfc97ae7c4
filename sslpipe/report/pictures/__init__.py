"""Pictures of what tasks hand out, drawn with Pillow."""
