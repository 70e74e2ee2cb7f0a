"""The audit of a service's own record: journal, tables, and what the persons hold. Pure: it reads and decides."""
