"""Response by RECIST 1.1 from diameters: what `recist` does."""
