package cli

import (
	"context"
	"os/signal"
	"slices"
)

// untilInterrupted returns a context that ends when somebody wants the command to end,
// which prints what it knows by then. A signal that was ignored when the program began,
// as nohup and the & of a script have it, stays so.
func untilInterrupted() (ctx context.Context, stop context.CancelFunc) {
	which := slices.DeleteFunc(slices.Clone(interrupts), signal.Ignored)
	if len(which) == 0 { // which NotifyContext takes for all there are
		return context.WithCancel(context.Background())
	}
	return signal.NotifyContext(context.Background(), which...)
}
