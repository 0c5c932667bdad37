package sockopt

// errno is what no error is: Plan 9 reports errors as text.
type errno uintptr

func (errno) Error() string { return "" }

var errnoCauses []errnoCause
