"""Heavy and light fine-tuning of a pretrained network on photographs: `make photos`."""
