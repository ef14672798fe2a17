"""What things are: values, rows and reports. No behaviour that needs the outside."""
