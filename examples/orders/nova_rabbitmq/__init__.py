"""RabbitMQ as a kind of component: its client, its causes."""
