package ls

import (
	"bufio"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/ss"
	"github.com/tcpkeepalive/keepalive/platform"
)

// listSS prints what ss -Htno does.
func (o *options) listSS(out *bufio.Writer) (*sockets.Notes, error) {
	old := make(chan bool, 1)
	go func() { old <- installedIsOld() }() // while the kernel makes the list
	f := o.Filter
	f.States = slices.Compact(slices.Sorted(slices.Values(sockets.StatesWithout(f.States, inspect.BoundInactive))))
	f.Detail = o.extended || slices.Contains(f.States, inspect.Listen)
	first := ssState
	if !o.Listening && len(f.States) == 1 {
		first = ssRecvQ
	}
	p := ssPrinter{isOld: old, extended: o.extended, aligner: aligner{out: out, first: first}}
	var n sockets.Notes
	for j, err := range o.List(f, &n) {
		if err != nil {
			p.flush()
			return nil, err
		}
		n.Source = j.Report.Source
		p.Enter(j.NetNS)
		if o.WithProcess && j.Report.Inode != 0 && len(j.Report.Owners) == 0 {
			n.NoOwner++
		}
		p.print(j.Report)
	}
	p.flush()
	return &n, nil
}

// An ssPrinter writes sockets as ss does, but for names with what is not
// printable, which ss sends to the terminal as it is.
type ssPrinter struct {
	aligner
	isOld    <-chan bool // whether the installed ss writes as before 6.11, once it is known
	old      bool
	extended bool
	cgroups  cgroups
	sockets.Namer
}

// Fields of a line. An address and its port are fields of their own, so that
// the colons stand below each other.
const (
	ssState = iota
	ssRecvQ
	ssSendQ
	ssLocal
	ssLocalPort
	ssPeer
	ssPeerPort
	ssRest
)

func (p *ssPrinter) print(s *inspect.Report) {
	b := p.begin(s.Local.Addr().Is6())
	b = append(b, s.State.String()...)
	b = p.end(b)
	b = appendPadded(b, uint64(s.RecvQueue), 6)
	b = p.end(b)
	b = appendPadded(b, uint64(s.SendQueue), 6)
	b = p.end(b)
	b = p.appendEndpoint(b, s, s.Local, s.Device)
	b = p.appendEndpoint(b, s, s.Peer, 0)
	b = p.appendRest(b, s)
	p.end(b)
}

func (p *ssPrinter) appendEndpoint(b []byte, s *inspect.Report, a netip.AddrPort, device uint32) []byte {
	b = appendAddr(b, a.Addr(), s.V6Only == platform.Yes)
	if device != 0 {
		b = append(append(b, '%'), terminal.Printable(p.DeviceName(device))...)
	}
	b = p.end(append(b, ':'))
	if a.Port() == 0 {
		b = append(b, '*')
	} else {
		b = strconv.AppendUint(b, uint64(a.Port()), 10)
	}
	return p.end(b)
}

// appendAddr writes "*" for a socket that listens on both families.
func appendAddr(b []byte, a netip.Addr, v6Only bool) []byte {
	switch {
	case a.Is4():
		return a.AppendTo(b)
	case a.IsUnspecified() && !v6Only:
		return append(b, '*')
	}
	return append(a.AppendTo(append(b, '[')), ']')
}

func (p *ssPrinter) installedIsOld() bool {
	if p.isOld != nil {
		p.old = <-p.isOld
		p.isOld = nil
	}
	return p.old
}

// appendRest is the owners, the timer and the details, each after a space.
func (p *ssPrinter) appendRest(b []byte, s *inspect.Report) []byte {
	if len(s.Owners) > 0 {
		b = append(b, " users:("...)
		for _, o := range s.Owners {
			name, _, _ := strings.Cut(o.Process, ")") // where ss stops reading it
			b = append(append(append(b, `("`...), terminal.Printable(name)...), `",pid=`...)
			b = append(strconv.AppendInt(b, int64(o.PID), 10), ",fd="...)
			b = append(strconv.AppendInt(b, int64(o.FD), 10), "),"...)
		}
		b[len(b)-1] = ')'
	}
	if t := s.Timer; t.Kind != "off" {
		b = ss.AppendTimer(append(b, ' '), t.Kind, t.Left, t.Unanswered, p.installedIsOld())
	}
	if !p.extended {
		return b
	}
	if s.UID != 0 {
		b = strconv.AppendUint(append(b, " uid:"...), uint64(s.UID), 10)
	}
	b = strconv.AppendUint(append(b, " ino:"...), uint64(s.Inode), 10)
	b = strconv.AppendUint(append(b, " sk:"...), s.Cookie, 16)
	if s.Mark != 0 {
		b = strconv.AppendUint(append(b, " fwmark:0x"...), uint64(s.Mark), 16)
	}
	if s.CgroupID != 0 {
		b = append(append(b, " cgroup:"...), terminal.Printable(p.cgroups.path(s.CgroupID))...)
	}
	if s.V6Only != platform.Unknown {
		b = append(b, " v6only:"...)
		b = append(b, '0'+byte(s.V6Only-platform.No))
	}
	if s.Shutdown != "" {
		b = append(append(b, ' '), s.Shutdown...)
	}
	return b
}

// appendPadded writes a number and spaces up to the width.
func appendPadded(b []byte, n uint64, width int) []byte {
	start := len(b)
	b = strconv.AppendUint(b, n, 10)
	for len(b)-start < width {
		b = append(b, ' ')
	}
	return b
}
