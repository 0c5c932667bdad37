package cli

import (
	"bufio"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/platform"
)

// ssStates are those that ss -a asks for.
const ssStates = inspect.AllStates &^ (1<<inspect.NewSynReceived | 1<<inspect.BoundInactive)

// listSS prints what ss -Htno does.
func (o *lsOptions) listSS(out *bufio.Writer) (*notes, error) {
	style := make(chan inspect.Style, 1)
	go func() { style <- installedStyle() }() // while the kernel makes the list
	f := o.filter
	if f.States != 0 {
		f.States &= ssStates
	}
	f.Detail = o.extended || f.States.Has(inspect.Listen)
	first := ssState
	if !o.listening && bits.OnesCount32(uint32(f.States)) == 1 {
		first = ssRecvQ
	}
	p := ssPrinter{styles: style, extended: o.extended, aligner: aligner{out: out, first: first}}
	var n notes
	for j, err := range o.sockets(f, o.process, &n) {
		if err != nil {
			p.flush()
			return nil, err
		}
		if j.socket == nil { // the end of a namespace
			continue
		}
		if o.process {
			p.owners = j.owners
		}
		n.source = j.socket.Source
		if p.netns.Namespace != j.netns.Namespace {
			p.netns, p.devices = j.netns, devices{}
		}
		if o.process && j.socket.Inode != 0 && !j.owners.Has(j.socket.Inode) {
			n.noOwner++
		}
		p.print(j.socket)
	}
	p.flush()
	return &n, nil
}

// An ssPrinter writes sockets as ss does, but for names with what is not
// printable, which ss sends to the terminal as it is.
type ssPrinter struct {
	aligner
	styles   <-chan inspect.Style // what the installed ss writes, once it is known
	style    inspect.Style
	extended bool
	owners   *inspect.Owners
	cgroups  cgroups
	namer
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

func (p *ssPrinter) print(s *inspect.Socket) {
	p.begin()
	p.later = s.Local.Addr().Is6()
	b := p.line
	b = append(b, s.State.String()...)
	b = p.end(b)
	b = appendPadded(b, uint64(s.RecvQueue), 6)
	b = p.end(b)
	b = appendPadded(b, uint64(s.SendQueue), 6)
	b = p.end(b)
	b = p.appendEndpoint(b, s, s.Local, s.Device)
	b = p.appendEndpoint(b, s, s.Peer, 0)
	b = p.appendRest(b, s)
	b = p.end(b)
	p.line = b
	p.finish()
}

func (p *ssPrinter) appendEndpoint(b []byte, s *inspect.Socket, a netip.AddrPort, device uint32) []byte {
	b = appendAddr(b, a.Addr(), s.Detail.V6Only == platform.Yes)
	if device != 0 {
		b = append(append(b, '%'), printable(p.deviceName(device))...)
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

func (p *ssPrinter) timerStyle() inspect.Style {
	if p.styles != nil {
		p.style = <-p.styles
		p.styles = nil
	}
	return p.style
}

// appendRest is the owners, the timer and the details, each after a space.
func (p *ssPrinter) appendRest(b []byte, s *inspect.Socket) []byte {
	if p.owners != nil && p.owners.Has(s.Inode) {
		b = append(b, " users:("...)
		for o := range p.owners.Of(s.Inode) {
			name, _, _ := strings.Cut(o.Process, ")") // where ss stops reading it
			b = append(append(append(b, `("`...), printable(name)...), `",pid=`...)
			b = append(strconv.AppendInt(b, int64(o.PID), 10), ",fd="...)
			b = append(strconv.AppendInt(b, int64(o.FD), 10), "),"...)
		}
		b[len(b)-1] = ')'
	}
	if s.Timer.Kind != inspect.TimerOff {
		b = s.Timer.Append(append(b, ' '), p.timerStyle())
	}
	if !p.extended {
		return b
	}
	if s.UID != 0 {
		b = strconv.AppendUint(append(b, " uid:"...), uint64(s.UID), 10)
	}
	b = strconv.AppendUint(append(b, " ino:"...), uint64(s.Inode), 10)
	b = strconv.AppendUint(append(b, " sk:"...), s.Cookie, 16)
	d := &s.Detail
	if d.Mark != 0 {
		b = strconv.AppendUint(append(b, " fwmark:0x"...), uint64(d.Mark), 16)
	}
	if d.CgroupID != 0 {
		b = append(append(b, " cgroup:"...), printable(p.cgroups.path(d.CgroupID))...)
	}
	if d.V6Only != platform.Unknown {
		b = append(b, " v6only:"...)
		b = append(b, '0'+byte(d.V6Only-platform.No))
	}
	if d.Shutdown != 0 {
		b = append(append(b, ' '), d.Shutdown.String()...)
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
