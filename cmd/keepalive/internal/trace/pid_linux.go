package trace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/proc"
)

// errEnded is the cause of the context when the process of --pid has ended.
var errEnded = errors.New("the process has ended")

// hold finds the process of --pid, and checks that its descriptors may be read. It returns
// nil without --pid.
func (o *options) hold() (process *proc.Held, err error) {
	if o.PID == 0 {
		return nil, nil
	}
	o.process = proc.Of(o.PID)
	process, held := proc.Hold(o.process)
	if _, err = inspect.FindOwners(o.process); err == nil { // which knows what /proc hides
		err = held
	}
	if err != nil && held == nil {
		process.Close()
	}
	switch {
	case err == nil:
		return process, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, exit.NothingError(fmt.Errorf("--pid %d: there is no such process", o.PID))
	case errors.Is(err, fs.ErrPermission):
		return nil, exit.DeniedError(fmt.Errorf("--pid %d: its descriptors belong to another user, or it has more capabilities; this takes %s: %w", o.PID, sockets.ForRoot(), err))
	}
	return nil, err
}

// whileRuns returns a context that ends with the process; its cause is then errEnded.
func whileRuns(ctx context.Context, process *proc.Held) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	if process == nil {
		return ctx, func() { cancel(nil) }
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		// The context ends one tick after the process: by then the taker, which waits for
		// at most 100 ms, has the segments with which the connections of the process ended.
		for ended := false; ; ended = process.Ended() {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			if ended {
				cancel(errEnded)
				return
			}
		}
	}()
	return ctx, func() {
		cancel(nil)
		<-done // who looks at the process
	}
}
