"""One slide, or images: from the pixels to counts per mm², overlays and a report."""
