package cli

// command runs the program's main without a process around it.
func command(args ...string) (code int, stdout, stderr string) { return runOf(commands, args...) }
