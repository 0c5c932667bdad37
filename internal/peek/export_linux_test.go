package peek

import (
	"github.com/tcpkeepalive/keepalive/internal/kernel"
)

// StopChildren lets so many children of the Peeker, one after the other, stop while
// they hold a socket.
func (p *Peeker) StopChildren(n int) error {
	err := p.state.start()
	if err == nil {
		p.state.shared.stop = int32(n)
	}
	return err
}

// ChildStopped reports whether all children have stopped.
func (p *Peeker) ChildStopped() bool { return p.state.shared.stop == 0 }

// QuestionsOf is how many options the children of a Peeker ask for, with a table.
func QuestionsOf(t *kernel.Rules) (int, error) {
	r, err := questions(t)
	return r.n, err
}
