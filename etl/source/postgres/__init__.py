"""PostgreSQL: psycopg asks, ADBC reads. The files of `mysql/`, and two more: `read` and `separators`."""
