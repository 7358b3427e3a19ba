"""The DRS API in two generations, translated into the model."""
