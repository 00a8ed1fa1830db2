// Tests follow with their module.
