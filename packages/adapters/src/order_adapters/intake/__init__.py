"""What people and files bring: signals, markets, trading rules. Strict here, typed from here on."""
