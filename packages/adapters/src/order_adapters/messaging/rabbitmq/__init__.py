"""RabbitMQ: signals in, events and dead letters out, each on a connection of its own."""
