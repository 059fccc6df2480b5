"""PostgreSQL: psycopg asks, ADBC reads. The files of `mysql/`, and three more: `locks`, `read`, `separators`."""
