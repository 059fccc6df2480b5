"""Aurora MySQL and its kin: PyMySQL asks, Spark JDBC reads."""
