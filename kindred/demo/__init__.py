"""What `kindred demo` loads: two real exports, and a world that was made up."""
