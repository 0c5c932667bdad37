//go:build !linux

package peek

import (
	"errors"
	"fmt"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
)

type peekerState struct{}

func (p *Peeker) close() { p.state = peekerState{} }

func (p *Peeker) read(peeks []*Peek) {
	for _, q := range peeks {
		q.Err = fmt.Errorf("the settings of another process's socket are unknown on %s: %w", kernel.Current().Title, errors.ErrUnsupported)
	}
}
