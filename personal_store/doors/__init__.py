"""Where live positions come in: devices, their register, the reception and the sealed inbox."""
