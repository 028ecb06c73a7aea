"""What is drawn: textures, optics, sprites, layouts, artefacts."""
