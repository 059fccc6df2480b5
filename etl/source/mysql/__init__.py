"""MySQL and MariaDB: PyMySQL asks, Spark JDBC reads. The files and functions have the names of those in `postgres/`."""
