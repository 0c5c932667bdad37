package sockopt

// errno is a type that no error has: Plan 9 reports errors as text.
type errno uintptr

func (errno) Error() string { return "" }

var errnoCauses []errnoCause
