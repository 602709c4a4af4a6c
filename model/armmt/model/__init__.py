"""The networks of teacher and student, and their export."""
