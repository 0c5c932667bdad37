// Package interrupt ends what waits when somebody wants the program to end.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"slices"
)

// Context returns a context that ends when somebody wants the command to end,
// which prints what it knows by then. The end of a terminal that was ignored when the
// program began, as nohup has it, stays ignored. SIGINT, which the & of a script ignores,
// does not: there, kill -INT ends the program.
func Context() (ctx context.Context, stop context.CancelFunc) {
	which := slices.DeleteFunc(slices.Clone(interrupts), func(s os.Signal) bool { return s == hangup && signal.Ignored(s) })
	return signal.NotifyContext(context.Background(), which...)
}
