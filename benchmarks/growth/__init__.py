"""Time and memory by the number of images and of classes."""
