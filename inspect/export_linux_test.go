package inspect

// StopChild lets the next child of the Peeker stop while it holds a socket.
func (p *Peeker) StopChild() error {
	err := p.state.start()
	if err == nil {
		p.state.shared.stop = 1
	}
	return err
}

// ChildStopped reports whether it came so far.
func (p *Peeker) ChildStopped() bool { return p.state.shared.stop == 0 }
