//go:build !unix

package watch

import (
	"os"
	"os/signal"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
)

// Signals that watch does something about.
type signals struct{ stop, again, end chan os.Signal }

// catch restores the terminal before the program ends.
func catch(t *screen) *signals {
	s := &signals{end: make(chan os.Signal, 1)}
	signal.Notify(s.end, os.Interrupt)
	go func() {
		if _, open := <-s.end; open {
			t.leaveInTime()
			os.Exit(exit.Problems)
		}
	}()
	return s
}

func (s *signals) release() {
	signal.Stop(s.end)
	close(s.end)
}

func stopGroup() {}

func (s *signals) suspended(*screen) error { return nil }
