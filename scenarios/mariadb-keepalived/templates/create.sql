SET SESSION sql_log_bin = 0;
CREATE DATABASE IF NOT EXISTS firedrill;
CREATE USER IF NOT EXISTS firedrill@'%';
GRANT ALL ON firedrill.* TO firedrill@'%';
CREATE USER IF NOT EXISTS replica@'%';
GRANT ALL ON *.* TO replica@'%';
